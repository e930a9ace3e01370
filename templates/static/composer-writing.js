// Writing in place: a block's form opens in the list and saves itself while one types.
import { fit } from "./choosing.js";
import { announce, ask, reach, refresh, root, status, version, words } from "./composer-page.js";
import { edit, ready, show as showRich } from "./editor.js";
import * as spare from "./composer-spare.js";

const PAUSE_MS = 900;
const AGAIN_MS = 5000;
let open = null;
let turn = Promise.resolve();

/** The form that is open, or null: its address, its block and its fields. */
export const current = () => open;

/**
 * Opens the form at `url` in `holder`; whatever is open is saved and closed before.
 *
 * One after another: who presses twice must not get a second form over words typed in the first.
 */
export function start(url, holder, given = {}) {
  const begun = () => begin(url, holder, given);
  turn = turn.then(begun, begun);
  return turn;
}

async function begin(url, holder, { field = "", words: put = null }) {
  if (open?.url === url) return focusIn(open.form, field);
  if (open && !(await close({ focus: false }))) return false;
  const answer = await reach(url);
  if (!answer) return false;
  if (!answer.ok) {
    announce(words.gone);
    await refresh();
    return false;
  }
  const place = holder.querySelector("[data-place]");
  place.innerHTML = await answer.text();
  const form = place.querySelector("form.stack");
  holder.classList.add("is-open");
  open = { url, holder, place, form, block: holder.dataset.id ?? "", isClashing: false, timer: 0, saving: null };
  open.version = put?.version ?? Number(form.elements.version.value);
  form.querySelectorAll("[data-rich] textarea").forEach((area) => edit(area));
  fit(form);
  open.kept = snapshot(form);
  form.addEventListener("input", typed);
  form.addEventListener("change", typed);
  form.addEventListener("submit", submitted);
  await ready;
  if (put) fill(put.fields);
  root.dispatchEvent(new CustomEvent("composer:opened"));
  focusIn(form, field);
  return true;
}

/** Saves what is typed; true when nothing is left to save. */
export async function flush() {
  if (!open) return true;
  clearTimeout(open.timer);
  await open.saving;
  return save();
}

/** Saves, closes and shows the block as it reads now; false where something has to be mended first. */
export async function close({ focus = true } = {}) {
  if (!open) return true;
  if (!(await flush())) return false;
  const { holder, place } = open;
  open = null;
  place.replaceChildren();
  holder.classList.remove("is-open");
  await refresh();
  root.dispatchEvent(new CustomEvent("composer:opened"));
  if (focus) (document.getElementById(holder.id)?.querySelector("[data-open]") ?? document.getElementById("head-title"))?.focus();
  return true;
}

/** Forgets the form whose block is gone. */
export function dropIfGone() {
  if (!open || open.holder.isConnected) return;
  clearTimeout(open.timer);
  spare.forget(open.url);
  open = null;
}

/** Loads the open form anew, when what it shows was changed by something else than typing. */
export async function reload() {
  if (!open) return;
  const { url, holder } = open;
  clearTimeout(open.timer);
  open = null;
  await start(url, holder);
}

/** Takes over what others changed in the open block, but for fields in which one types. */
export async function hear() {
  if (!open || open.isClashing || open.saving) return;
  if (differs(open.form, open.kept)) return void save();
  const answer = await ask(`${open.url}?since=${open.version}`, null, { accept: "application/json" });
  if (answer.ok && open) take(await answer.json(), snapshot(open.form));
}

function typed() {
  const mine = open;
  if (!mine || mine.isClashing) return;
  root.dispatchEvent(new CustomEvent("composer:typed"));
  if (!differs(mine.form, mine.kept)) return;
  status(words.unsaved);
  spare.keep(mine, snapshot(mine.form));
  clearTimeout(mine.timer);
  mine.timer = setTimeout(() => save(), PAUSE_MS);
}

async function submitted(event) {
  event.preventDefault();
  const prefer = event.submitter?.name === "prefer" ? event.submitter.value : "";
  if (!prefer) return void close();
  open.form.querySelector("[data-clash]")?.remove();
  open.isClashing = false;
  if (await save(prefer)) await reload();
}

async function save(prefer = "") {
  const mine = open;
  if (!mine) return true;
  if (mine.isClashing) return false;
  if (!prefer && !differs(mine.form, mine.kept)) return true;
  const sent = snapshot(mine.form);
  const fields = new FormData(mine.form);
  fields.set("version", mine.version);
  if (prefer) fields.set("prefer", prefer);
  status(words.saving);
  let done;
  mine.saving = new Promise((resolve) => { done = resolve; });
  try {
    const answer = await ask(mine.url, fields, { accept: "application/json" });
    if (!answer.headers.get("Content-Type")?.startsWith("application/json")) throw new TypeError(answer.statusText);
    const told = await answer.json();
    if (answer.ok) return kept(mine, told, sent);
    return refused(mine, told);
  } catch {
    status(words.away, "bad");
    clearTimeout(mine.timer);
    mine.timer = setTimeout(() => save(prefer), AGAIN_MS);
    return false;
  } finally {
    mine.saving = null;
    done();
  }
}

function kept(mine, told, sent) {
  mark(mine.form, {});
  if (told.before !== told.version) root.dispatchEvent(new CustomEvent("composer:saved", { detail: told }));
  // Others' saves in between are shown by who polls; that nothing is missed, only our own step counts.
  if (told.before === version()) root.dataset.version = told.version;
  const hasFile = [...mine.form.querySelectorAll('input[type="file"]')].some((each) => each.value);
  if (mine === open) take(told, sent);
  if (!differs(mine.form, mine.kept)) {
    spare.forget(mine.url);
    status(told.said, "good");
  }
  if (hasFile && mine === open) reload();
  return true;
}

function refused(mine, told) {
  status(told.said, "bad");
  mark(mine.form, told.problems ?? {});
  if (told.clash) {
    mine.isClashing = true;
    mine.form.insertAdjacentHTML("afterbegin", told.clash);
    mine.form.querySelector("[data-clash]").focus();
  }
  return false;
}

// What others wrote in other fields comes in; a field in which one has typed on stays, and the form
// then goes on counting from the version that it knew.
function take(told, sent) {
  let isWhole = true;
  const now = snapshot(open.form);
  for (const [name, value] of Object.entries(told.values)) {
    const field = open.form.elements[name];
    if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement)) continue;
    if (now.get(name) === value) continue;
    if (now.get(name) !== sent.get(name)) isWhole = false;
    else if (field.type === "checkbox") field.checked = Boolean(value);
    else if (!showRich(field, value)) field.value = value;
  }
  if (!isWhole) return;
  open.version = told.version;
  const after = snapshot(open.form);
  open.kept = new Map([...sent].map(([name, value]) => [name, now.get(name) === value ? after.get(name) : value]));
  root.dispatchEvent(new CustomEvent("composer:typed"));
}

function fill(fields) {
  for (const [name, value] of fields) {
    const field = open.form.elements[name];
    if (!field || name === "version") continue;
    if (field instanceof RadioNodeList || field.type === "checkbox") {
      const chosen = value.split("\n");
      for (const each of field instanceof RadioNodeList ? field : [field]) each.checked = chosen.includes(each.value);
    } else if (field.type !== "file" && !showRich(field, value)) field.value = value;
  }
  typed();
  // They were saved after all, and only the answer was lost.
  if (!differs(open.form, open.kept)) spare.forget(open.url);
}

function snapshot(form) {
  const found = new Map();
  for (const [name, value] of new FormData(form)) {
    if (name === "version" || name === "csrf_token") continue;
    const text = value instanceof File ? `${value.name} ${value.size}` : value;
    found.set(name, found.has(name) ? `${found.get(name)}\n${text}` : text);
  }
  return found;
}

function differs(form, before) {
  const now = snapshot(form);
  return now.size !== before.size || [...now].some(([name, value]) => before.get(name) !== value);
}

function mark(form, problems) {
  form.querySelectorAll("[data-problem]").forEach((each) => each.remove());
  form.querySelectorAll("[aria-invalid]").forEach((each) => each.removeAttribute("aria-invalid"));
  for (const [name, text] of Object.entries(problems)) {
    const field = form.querySelector(`#f-${CSS.escape(name)}`);
    if (!field) continue;
    const said = document.createElement("p");
    Object.assign(said, { className: "error", textContent: text, id: `e-${name}` });
    said.dataset.problem = "";
    field.before(said);
    field.setAttribute("aria-invalid", "true");
  }
}

function focusIn(form, field) {
  const fields = "input:not([type=hidden], trix-toolbar *), trix-editor, textarea:not([hidden]), select:not(trix-toolbar *)";
  const named = field ? form.querySelector(`#f-${CSS.escape(field)}`) : null;
  const wanted = named?.hidden ? named.parentElement.querySelector("trix-editor") : named;
  const choices = "[data-choosing] input, [data-picker]:not(:has(:checked)) input";
  const sides = form.querySelector(".sides");
  const stops = [wanted, ...form.querySelectorAll(choices), ...(sides?.querySelectorAll(fields) ?? []), ...form.querySelectorAll(fields)];
  // A line has nothing to fill in but what is folded away: then it is done.
  (stops.find((each) => each?.checkVisibility()) ?? form.querySelector(".button[type=submit]")).focus();
  form.closest(".block, section")?.scrollIntoView({ block: "nearest" });
  return true;
}

// A form that is left open saves itself when the window is left.
addEventListener("visibilitychange", () => { if (document.hidden && open) save(); });
addEventListener("online", () => { if (open) save(); });
addEventListener("beforeunload", (event) => { if (open && differs(open.form, open.kept)) event.preventDefault(); });

