// Rich text: Trix over a text area. Without it, the text area holds simple HTML.
import Trix from "./vendor/trix.esm.min.js";

// The first field on the page says in its reader's language what the buttons do.
const words = JSON.parse(document.querySelector("[data-rich]")?.dataset.rich || "{}");

// Paragraphs, as mails and pages want them, not divisions.
Trix.config.blockAttributes.default.tagName = "p";
Trix.config.blockAttributes.default.breakOnReturn = true;
Trix.config.toolbar.getDefaultHTML = () => {
  const attribute = (name, label, key = "") =>
    `<button type="button" class="trix-button" data-trix-attribute="${name}" ${key && `data-trix-key="${key}"`} tabindex="-1">${label}</button>`;
  const action = (name, label) =>
    `<button type="button" class="trix-button" data-trix-action="${name}" tabindex="-1">${label}</button>`;
  return `
    <div class="trix-button-row" role="toolbar" aria-label="${words.tools}">
      ${attribute("bold", words.bold, "b")}${attribute("italic", words.italic, "i")}
      <button type="button" class="trix-button" data-trix-attribute="href" data-trix-action="link" data-trix-key="k" tabindex="-1">${words.link}</button>
      ${attribute("quote", words.quote)}${attribute("bullet", words.bullets)}${attribute("number", words.numbers)}
      ${action("undo", words.undo)}${action("redo", words.redo)}
    </div>
    <div class="trix-dialogs" data-trix-dialogs>
      <div class="trix-dialog trix-dialog--link" data-trix-dialog="href" data-trix-dialog-attribute="href">
        <input type="url" name="href" class="trix-input" placeholder="https://" aria-label="${words.url}" required data-trix-validate-href data-trix-input disabled>
        <button type="button" class="trix-button" data-trix-method="setAttribute">${words.link}</button>
        <button type="button" class="trix-button" data-trix-method="removeAttribute">${words.unlink}</button>
      </div>
    </div>`;
};

addEventListener("trix-file-accept", (event) => event.preventDefault());

/** Lays an editor over `area`, which goes on holding what the form sends. */
export function edit(area) {
  const editor = document.createElement("trix-editor");
  editor.setAttribute("input", area.id);
  const label = document.querySelector(`label[for="${area.id}"]`);
  if (label) editor.setAttribute("aria-label", label.textContent.trim());
  const described = area.getAttribute("aria-describedby");
  if (described) editor.setAttribute("aria-describedby", described);
  area.hidden = true;
  area.after(editor);
  const bar = editor.toolbarElement;
  // The toolbar is one stop for Tab; arrows move within it (WAI-ARIA toolbar pattern).
  const buttons = [...(bar?.querySelectorAll(".trix-button-row button") ?? [])];
  buttons.forEach((button, at) => {
    button.tabIndex = at ? -1 : 0;
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) buttons[(at + step + buttons.length) % buttons.length].focus();
    });
  });
  editor.addEventListener("trix-change", () => area.dispatchEvent(new Event("input", { bubbles: true })));
}
