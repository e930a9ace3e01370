// Words that are not saved yet are kept in this browser, and offered after a crash or a lost line.
import { here, root } from "./composer-page.js";

const PREFIX = `handbill:words:${here}:`;

/** Keeps what stands in an open form. A browser that keeps nothing is no reason to stop writing. */
export function keep(open, fields) {
  const title = open.holder.querySelector("h3, h2")?.textContent.trim() ?? "";
  const kept = { version: open.version, title, at: Date.now(), fields: [...fields] };
  try {
    localStorage.setItem(PREFIX + open.url, JSON.stringify(kept));
  } catch {
    // It is full, or not allowed.
  }
}

/** They are saved, or not wanted. */
export function forget(url) {
  try {
    localStorage.removeItem(PREFIX + url);
  } catch {
    // There is nothing to forget then.
  }
}

/** Offers what was left; `put` opens the form at an address with the words in it. */
export function offer(put) {
  const note = root.querySelector("[data-kept-words]");
  const found = note ? left() : [];
  if (!found.length) return;
  note.querySelector("[data-kept-list]").replaceChildren(...found.map(([, kept]) => {
    const item = document.createElement("li");
    const time = new Date(kept.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    item.textContent = `${kept.title} · ${time}`;
    return item;
  }));
  note.hidden = false;
  note.querySelector("[data-keep]").addEventListener("click", async () => {
    note.hidden = true;
    for (const [url, kept] of found) await put(url, kept);
  });
  note.querySelector("[data-forget]").addEventListener("click", () => {
    note.hidden = true;
    for (const [url] of found) forget(url);
    document.getElementById("blocks-title").focus();
  });
}

function left() {
  try {
    return Object.keys(localStorage)
      .filter((name) => name.startsWith(PREFIX))
      .map((name) => [name.slice(PREFIX.length), JSON.parse(localStorage.getItem(name))]);
  } catch {
    return [];
  }
}
