// Rich text: Trix over a text area. Without it, the text area holds simple HTML.
import { chip, fromChips, toChips } from "./chips.js";
import { clean } from "./paste.js";
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
      <button type="button" class="trix-button" data-field aria-expanded="false" tabindex="-1">${words.field}</button>
      ${action("undo", words.undo)}${action("redo", words.redo)}
    </div>
    <div class="fields-dialog" data-fields hidden>
      <select aria-label="${words.field}">${words.fields.map(([name, label]) => `<option value="${name}">${label}</option>`).join("")}</select>
      <input type="text" maxlength="80" aria-label="${words.otherwise}" placeholder="${words.otherwise}">
      <button type="button" class="trix-button">${words.insert}</button>
    </div>
    <div class="trix-dialogs" data-trix-dialogs>
      <div class="trix-dialog trix-dialog--link" data-trix-dialog="href" data-trix-dialog-attribute="href">
        <input type="url" name="href" class="trix-input" placeholder="https://" aria-label="${words.url}" required data-trix-validate-href data-trix-input disabled>
        <button type="button" class="trix-button" data-trix-method="setAttribute">${words.link}</button>
        <button type="button" class="trix-button" data-trix-method="removeAttribute">${words.unlink}</button>
      </div>
    </div>`;
};

// A chip stands in a paragraph, which no figure and no caption may: a browser that mends the HTML
// (spelling, other keyboards) would break the paragraph there.
const { createNodes } = Trix.views.AttachmentView.prototype;
Trix.views.AttachmentView.prototype.createNodes = function createSpans() {
  const [left, figure, right] = createNodes.call(this);
  const span = document.createElement("span");
  for (const { name, value } of figure.attributes) span.setAttribute(name, value);
  span.append(...figure.childNodes);
  span.querySelector("figcaption")?.remove();
  return [left, span, right];
};

/** Trix defines its elements a moment after it is loaded. */
export const ready = customElements.whenDefined("trix-editor");

addEventListener("trix-file-accept", (event) => event.preventDefault());

/** Lays an editor over `area`, which goes on holding what the form sends. */
export function edit(area) {
  words = JSON.parse(area.closest("[data-rich]").dataset.rich);
  const editor = document.createElement("trix-editor");
  const held = document.createElement("input");
  Object.assign(held, { type: "hidden", id: `${area.id}-rich`, value: toChips(area.value, words) });
  editor.setAttribute("input", held.id);
  const label = document.querySelector(`label[for="${area.id}"]`);
  if (label) editor.setAttribute("aria-label", label.textContent.trim());
  const described = area.getAttribute("aria-describedby");
  if (described) editor.setAttribute("aria-describedby", described);
  if (area.lang) editor.lang = area.lang;
  area.hidden = true;
  area.after(held, editor);
  editors.set(area, editor);
  const said = words;
  editor.addEventListener("trix-before-paste", ({ paste }) => {
    if (paste.html) paste.html = toChips(clean(paste.html), said);
  });
  // What Trix only writes another way is no change: the area keeps what it was given.
  let asLoaded = null;
  let given = area.value;
  editor.addEventListener("trix-initialize", () => {
    asLoaded = held.value;
    toolbar(editor);
    fields(editor, said);
  });
  editor.addEventListener("trix-change", () => {
    if (editor.isLoading) {
      asLoaded = held.value;
      given = area.value;
      return;
    }
    if (asLoaded === null) return;
    const value = held.value === asLoaded ? given : fromChips(held.value);
    if (value === area.value) return;
    area.value = value;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// Whoever writes goes on where they were: in this editor, or in another, whose caret Trix takes away.
function caretOf(editor) {
  if (document.activeElement === editor) {
    const [from, to] = editor.editor.getSelectedRange();
    return () => {
      const end = editor.editor.getDocument().getLength() - 1;
      editor.editor.setSelectedRange([Math.min(from, end), Math.min(to, end)]);
    };
  }
  const chosen = getSelection();
  const range = chosen.rangeCount ? chosen.getRangeAt(0).cloneRange() : null;
  return () => {
    chosen.removeAllRanges();
    if (range) chosen.addRange(range);
  };
}

/** Shows other text in the editor over `area`; false where there is none. */
export function show(area, html) {
  const editor = editors.get(area);
  if (!editor) return false;
  area.value = html;
  editor.isLoading = true;
  const caret = caretOf(editor);
  editor.editor.loadHTML(toChips(html, words));
  caret();
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

// A merge field is chosen by what it is called, with what stands in where a reader has none.
function fields(editor, said) {
  const button = editor.toolbarElement?.querySelector("[data-field]");
  const dialog = editor.toolbarElement?.querySelector("[data-fields]");
  if (!button) return;
  const [select, otherwise, insert] = dialog.children;
  const show = (isShown) => {
    dialog.hidden = !isShown;
    button.setAttribute("aria-expanded", String(isShown));
  };
  const put = () => {
    show(false);
    editor.editor.insertAttachment(new Trix.Attachment(chip(select.value, otherwise.value.replace(/["{}]/g, "").trim(), said)));
    editor.focus();
  };
  button.addEventListener("click", () => {
    show(dialog.hidden);
    if (!dialog.hidden) select.focus();
  });
  insert.addEventListener("click", put);
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target !== insert) {
      event.preventDefault();
      put();
    } else if (event.key === "Escape") {
      show(false);
      button.focus();
    }
  });
}
