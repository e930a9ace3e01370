// What the parts of the composer share: where it is, its words, asking the server, showing what is kept.
import * as holding from "./holding.js";

export const root = document.getElementById("composer");
export const words = JSON.parse(root.dataset.words);
export const here = root.dataset.here;
export const mayWrite = "mayWrite" in root.dataset;
export const list = root.querySelector("[data-sortable]");
export const version = () => Number(root.dataset.version);

const live = root.querySelector("[data-announce]");
const place = root.querySelector("[data-status]");

/** Says something to who listens instead of looking. */
export function announce(text) {
  live.textContent = "";
  // Read out again even when it is the same as before.
  requestAnimationFrame(() => { live.textContent = text; });
}

/** Shows how saving stands; it is a status, so that it is read out as well. */
export function status(text, tone = "") {
  if (place.textContent === text) return;
  place.textContent = text;
  place.dataset.tone = tone;
}

/** Asks an address of ours; `fields` are sent as a form. Throws TypeError while the line is down. */
export function ask(path, fields = null, { accept = "text/html" } = {}) {
  return fetch(path, {
    method: fields ? "POST" : "GET",
    body: fields,
    headers: {
      Accept: accept,
      "HX-Request": "true",
      "HX-Current-URL": location.href,
      "X-CSRF-Token": root.dataset.csrf,
    },
  });
}

/** The same for what somebody pressed: says so and gives null while the line is down. */
export async function reach(path, fields = null) {
  try {
    return await ask(path, fields);
  } catch {
    status(words.down, "bad");
    return null;
  }
}

/** Fields of a form from name and value. */
export function fieldsOf(values) {
  const fields = new FormData();
  for (const [name, value] of Object.entries(values)) fields.append(name, value);
  return fields;
}

/** Puts the words of `values` into a text with places such as {name}. */
export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Shows the page anew as the server has it now. */
export async function refresh() {
  const answer = await ask(location.pathname + location.search);
  return show(await answer.text());
}

/** Shows a page that came back, without touching a form that is open; gives what it says of itself. */
export function show(html) {
  const next = new DOMParser().parseFromString(html, "text/html");
  const fresh = next.getElementById("composer");
  if (!fresh) return null;
  holding.hold();
  for (const id of ["problems", "looking", "about", "jump", "open-points", "adding"]) exchange(id, fresh);
  const heading = document.querySelector("main h1");
  heading.textContent = next.querySelector("main h1").textContent;
  const subjects = document.getElementById("subjects");
  subjects.querySelector(".body").replaceWith(fresh.querySelector("#subjects .body"));
  const focus = focused();
  reconcile(fresh.querySelector("[data-sortable]"));
  root.dataset.version = fresh.dataset.version;
  root.dispatchEvent(new CustomEvent("composer:shown"));
  restore(focus);
  holding.restore();
  return fresh.dataset;
}

function exchange(id, fresh) {
  const own = document.getElementById(id);
  const next = fresh.querySelector(`#${id}`);
  if (!own || !next || own.outerHTML === next.outerHTML) return;
  if (own.open) next.open = true;
  own.replaceWith(next);
}

// The list is brought into its new shape; a block in which somebody writes stays where it stands.
function reconcile(next) {
  const own = new Map([...list.children].map((each) => [each.dataset.id, each]));
  const open = list.querySelector(":scope > .is-open");
  const ordered = [...next.children].map((fresh) => {
    const old = own.get(fresh.dataset.id);
    if (!old) return fresh;
    for (const part of ["header", ".body", ".insert"]) {
      const now = old.querySelector(`:scope > ${part}`);
      const then = fresh.querySelector(`:scope > ${part}`);
      if (now && then && now.outerHTML !== then.outerHTML) now.replaceWith(then);
    }
    old.toggleAttribute("data-attention", fresh.hasAttribute("data-attention"));
    return old;
  });
  const kept = new Set(ordered);
  for (const each of own.values()) if (!kept.has(each)) each.remove();
  const at = ordered.indexOf(open);
  if (at < 0) list.replaceChildren(...ordered);
  else {
    for (const each of ordered.slice(0, at)) list.insertBefore(each, open);
    list.append(...ordered.slice(at + 1));
  }
}

function focused() {
  const element = document.activeElement;
  const block = element?.closest?.(".block");
  if (!block || element.closest("[data-place]")) return null;
  const name = element.getAttribute("name");
  const mark = ["data-handle", "data-open", "data-insert", "data-collapse"].find((each) => element.hasAttribute(each));
  return { id: block.dataset.id, selector: name ? `button[name="${name}"][value="${element.value}"]` : mark ? `[${mark}]` : "h3" };
}

function restore(focus) {
  if (!focus) return;
  const block = document.getElementById(`block-${focus.id}`);
  if (!block || block.contains(document.activeElement)) return;
  const wanted = block.querySelector(focus.selector);
  (wanted && !wanted.disabled ? wanted : block.querySelector("[data-handle]") ?? block.querySelector("h3")).focus();
}
