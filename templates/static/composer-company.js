// Who else has the bulletin open, and in which block; what they save is shown as it comes.
import { announce, ask, fieldsOf, filled, here, refresh, root, version, words } from "./composer-page.js";
import * as writing from "./composer-writing.js";

const EVERY_MS = 4000;
const seat = crypto.randomUUID();
const place = root.querySelector("[data-company]");
let others = [];
let timer = 0;

async function look() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    const answer = await ask(`${here}/here`, fieldsOf({ seat, block: writing.current()?.block ?? "" }), { accept: "application/json" });
    if (answer.ok) await heard(await answer.json());
  } catch {
    // The line is down; the next look may succeed.
  }
  clearTimeout(timer);
  timer = setTimeout(look, EVERY_MS);
}

async function heard(told) {
  if (told.version > version() && !writing.current()?.saving) {
    await refresh();
    writing.dropIfGone();
    await writing.hear();
    announce(filled(words.theirs, { name: told.saved_by }));
  }
  others = told.others;
  const names = [...new Set(others.map((each) => each.name))].join(", ");
  const text = names && filled(words.here, { names });
  if (place.textContent !== text) place.textContent = text;
  mark();
}

function mark() {
  for (const each of root.querySelectorAll("[data-writes]")) {
    const id = each.closest(".block").dataset.id;
    const there = others.filter((other) => other.block === id).map((other) => other.name);
    each.hidden = !there.length;
    each.textContent = there.length ? filled(words.writes, { name: there.join(", ") }) : "";
  }
}

/** Begins to look. */
export function listen() {
  root.addEventListener("composer:shown", mark);
  root.addEventListener("composer:opened", look);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  addEventListener("pagehide", () => {
    const fields = fieldsOf({ seat, leaving: 1, csrf_token: root.dataset.csrf });
    navigator.sendBeacon(`${here}/here`, fields);
  });
  look();
}
