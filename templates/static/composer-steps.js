// Undo and redo: every save is a step, and taking one back leaves what others did since.
import { announce, fieldsOf, here, reach, root, show, status, words } from "./composer-page.js";
import * as writing from "./composer-writing.js";

const KEY = `handbill:steps:${here}`;
const MOST = 200;
const buttons = { undo: root.querySelector("[data-undo]"), redo: root.querySelector("[data-redo]") };
const stacks = read();

/** A step was made: from version `before` to `after`. */
export function push(before, after) {
  stacks.undo.push([before, after]);
  stacks.undo = stacks.undo.slice(-MOST);
  stacks.redo = [];
  keep();
}

/** Takes the last step back (`undo`), or makes it again (`redo`). */
export async function step(kind) {
  if (!(await writing.flush())) return;
  const last = stacks[kind].pop();
  if (!last) return announce(kind === "undo" ? words.nothing : words.nothing_again);
  const fields = { before: last[0], after: last[1] };
  if (kind === "redo") fields.again = 1;
  const answer = await reach(`${here}/undo`, fieldsOf(fields));
  if (!answer) {
    stacks[kind].push(last);
    return;
  }
  const shown = show(await answer.text());
  if (answer.ok && shown?.before) {
    stacks[kind === "undo" ? "redo" : "undo"].push([Number(shown.before), Number(shown.version)]);
    status(shown.said, "good");
    announce(shown.said);
  }
  keep();
  writing.dropIfGone();
  await writing.reload();
}

function keep() {
  // Whoever pressed the last step away goes on at the button beside it.
  const pressed = Object.keys(buttons).find((kind) => buttons[kind] === document.activeElement);
  for (const kind of Object.keys(buttons)) buttons[kind].disabled = !stacks[kind].length;
  if (pressed && buttons[pressed].disabled) buttons[pressed === "undo" ? "redo" : "undo"].focus();
  try {
    sessionStorage.setItem(KEY, JSON.stringify(stacks));
  } catch {
    // Then the steps are known until the page is left.
  }
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? { undo: [], redo: [] };
  } catch {
    return { undo: [], redo: [] };
  }
}

const isText = (element) => element?.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, trix-editor, [contenteditable]");

/** Begins to listen; the buttons are there for who has no keyboard. */
export function listen() {
  keep();
  root.addEventListener("composer:saved", ({ detail }) => push(detail.before, detail.version));
  buttons.undo.addEventListener("click", () => step("undo"));
  buttons.redo.addEventListener("click", () => step("redo"));
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || isText(event.target)) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    step(key === "y" || event.shiftKey ? "redo" : "undo");
  });
}
