// Rich text: Trix over a text area. Without it, the text area holds simple HTML.
import Trix from "./vendor/trix.esm.min.js";

// What the buttons do, in the reader's language; each field brings the same words.
let words = {};
const editors = new WeakMap();

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
  words = JSON.parse(area.closest("[data-rich]").dataset.rich);
  const editor = document.createElement("trix-editor");
  const held = document.createElement("input");
  Object.assign(held, { type: "hidden", id: `${area.id}-rich`, value: area.value });
  editor.setAttribute("input", held.id);
  const label = document.querySelector(`label[for="${area.id}"]`);
  if (label) editor.setAttribute("aria-label", label.textContent.trim());
  const described = area.getAttribute("aria-describedby");
  if (described) editor.setAttribute("aria-describedby", described);
  if (area.lang) editor.lang = area.lang;
  area.hidden = true;
  area.after(held, editor);
  editors.set(area, editor);
  toolbar(editor);
  // What Trix only writes another way is no change: the area keeps what it was given.
  let asLoaded = null;
  let given = area.value;
  editor.addEventListener("trix-initialize", () => { asLoaded = held.value; });
  editor.addEventListener("trix-change", () => {
    if (editor.isLoading) {
      asLoaded = held.value;
      given = area.value;
      return;
    }
    if (asLoaded === null) return;
    const value = held.value === asLoaded ? given : held.value;
    if (value === area.value) return;
    area.value = value;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

/** Shows other text in the editor over `area`; false where there is none. */
export function show(area, html) {
  const editor = editors.get(area);
  if (!editor) return false;
  area.value = html;
  editor.isLoading = true;
  editor.editor.loadHTML(html);
  editor.isLoading = false;
  return true;
}

// The toolbar is one stop for Tab; arrows move within it (WAI-ARIA toolbar pattern).
function toolbar(editor) {
  const buttons = [...(editor.toolbarElement?.querySelectorAll(".trix-button-row button") ?? [])];
  buttons.forEach((button, at) => {
    button.tabIndex = at ? -1 : 0;
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) buttons[(at + step + buttons.length) % buttons.length].focus();
    });
  });
}
