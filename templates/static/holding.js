// Whoever works by keys keeps their place when a part of the page is exchanged: they go on at the same
// thing in what came. Where it is gone they wait at the heading of its part until it is there again.

const wordsOf = (each) => each.ariaLabel ?? each.textContent.trim();
let held = null;

function partsOf(at) {
  const parts = [];
  for (let part = at.parentElement; part; part = part.parentElement) if (part.id) parts.push(part.id);
  return parts;
}

/** Remembers where the focus is, before something is exchanged. */
export function hold() {
  const at = document.activeElement;
  if (at === held?.waitsAt) return;
  held = at === document.body ? null : { kind: at.localName, words: wordsOf(at), parts: partsOf(at), waitsAt: null };
}

/** Leads the focus back, where the exchange took away what had it. */
export function restore() {
  if (!held || ![document.body, held.waitsAt].includes(document.activeElement)) return;
  const part = held.parts.map((id) => document.getElementById(id)).find((each) => each?.checkVisibility());
  if (!part) return;
  const same = [...part.querySelectorAll(held.kind)].find((each) => wordsOf(each) === held.words && each.checkVisibility());
  held.waitsAt = same ? null : part.querySelector("h1, h2, h3") ?? part;
  if (!same) held.waitsAt.tabIndex = -1;
  (same ?? held.waitsAt).focus({ preventScroll: true });
}

addEventListener("htmx:before:swap", hold);
// At once, and again when htmx has put on each thing the attributes that came with it.
for (const name of ["htmx:before:settle", "htmx:after:settle"]) addEventListener(name, restore);
