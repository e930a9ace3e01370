// Rich text: Trix over a text area. Without it, the text area holds simple HTML.
import { chip, fromChips, toChips } from "./chips.js";
import { clean } from "./paste.js";
import { rove } from "./roving.js";
import Trix from "./vendor/trix.esm.min.js";

// What the buttons do, in the reader's language; each field brings the same words.
let words = {};
const editors = new WeakMap();

// Drawn on a square of 20, in the colour of the words around it.
const drawn = (path) => `<svg viewBox="0 0 20 20" aria-hidden="true">${path}</svg>`;
const LINES = '<path d="M8 5h9M8 10h9M8 15h9"/>';
const SIGNS = {
  bold: "<b>B</b>",
  italic: "<i>I</i>",
  link: drawn('<path d="M8 12l4-4M9 6.5l1.8-1.8a3.2 3.2 0 0 1 4.5 4.5L13.5 11M11 13.5l-1.8 1.8a3.2 3.2 0 0 1-4.5-4.5L6.5 9"/>'),
  quote: drawn('<path d="M4 4v12M8 6h9M8 10h9M8 14h6"/>'),
  bullets: drawn(`${LINES}<path d="M3.5 5h.01M3.5 10h.01M3.5 15h.01" stroke-width="2.8"/>`),
  numbers: drawn(`${LINES}<path d="M3 3.5l1-.7v4M2.8 9c.6-1 2.2-.6 1.8.5l-1.8 2h2M2.8 13.5h1.8l-1 1.3c1.4 0 1.3 1.9-.9 1.6" stroke-width="1.1"/>`),
  undo: drawn('<path d="M7 4L3.5 7.5 7 11M4 7.5h8a4 4 0 0 1 0 8H9"/>'),
  redo: drawn('<path d="M13 4l3.5 3.5L13 11M16 7.5H8a4 4 0 0 0 0 8h3"/>'),
};

// Paragraphs, as mails and pages want them, not divisions.
Trix.config.blockAttributes.default.tagName = "p";
Trix.config.blockAttributes.default.breakOnReturn = true;
Trix.config.toolbar.getDefaultHTML = () => {
  const button = (name, what) =>
    `<button type="button" class="trix-button" ${what} aria-label="${words[name]}" title="${words[name]}" tabindex="-1">${SIGNS[name]}</button>`;
  return `
    <div class="trix-button-row" role="toolbar" aria-label="${words.tools}">
      ${button("bold", 'data-trix-attribute="bold" data-trix-key="b"')}${button("italic", 'data-trix-attribute="italic" data-trix-key="i"')}
      ${button("link", 'data-trix-attribute="href" data-trix-action="link" data-trix-key="k"')}
      ${button("quote", 'data-trix-attribute="quote"')}${button("bullets", 'data-trix-attribute="bullet"')}${button("numbers", 'data-trix-attribute="number"')}
      <button type="button" class="trix-button" data-field aria-expanded="false" tabindex="-1">${words.field}</button>
      ${button("undo", 'data-trix-action="undo"')}${button("redo", 'data-trix-action="redo"')}
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

// Trix draws with the next frame, and hears of what is chosen a moment after it was. Keys that come
// before that, on a busy machine, would meet what was chosen before them: words would be pasted
// beside those that they should replace. So it is brought up to date before each.
function catchUp(event) {
  const editor = event.target.closest?.("trix-editor");
  if (!editor?.editorController || event.isComposing) return;
  draw(editor);
  document.dispatchEvent(new Event("selectionchange"));
  // Tab moves an entry of a list in, or out, at its beginning only: elsewhere it leads on as everywhere.
  if (event.key === "Tab" && !isAtBeginning(editor.editor)) event.stopPropagation();
}

// Nor may it be late for who goes elsewhere: a form would go without what was typed last, and drawn
// then, it takes the caret away from where they write by now.
function settle() {
  for (const editor of document.querySelectorAll("trix-editor")) draw(editor);
}

function draw(editor) {
  const { inputController } = editor.editorController ?? {};
  if (inputController?.scheduledRender) inputController.render();
}

function isAtBeginning(editor) {
  const [from, to] = editor.getSelectedRange();
  return from === to && editor.getDocument().locationFromPosition(from).offset === 0;
}
for (const kind of ["keydown", "beforeinput", "paste", "cut"]) addEventListener(kind, catchUp, true);
for (const kind of ["pointerdown", "focusout", "submit"]) addEventListener(kind, settle, true);

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
  // Before the first key can come, which is sooner than Trix says that it is there.
  ready.then(() => {
    asLoaded = held.value;
    const row = editor.toolbarElement?.querySelector(".trix-button-row");
    if (row) toolbar(row);
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

// Trix hears of its buttons by a pointer that goes down; keys and what speaks for somebody only click.
function toolbar(row) {
  rove(row);
  row.addEventListener("click", ({ detail, target }) => {
    const button = target.closest("[data-trix-action], [data-trix-attribute]");
    if (!detail) button?.dispatchEvent(new MouseEvent("mousedown", { bubbles: true, cancelable: true }));
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
