// Keys of the staff room: a box that finds anything, and letters that lead to rooms. Without
// this, the link Find leads to a page that does the same.
const box = document.querySelector("#quick");
const field = box.querySelector("input[type=search]");
const found = box.querySelector("[data-found]");
const rooms = found.cloneNode(true);
const places = Object.fromEntries(
  [...box.querySelectorAll("a[data-keys]")].map((each) => [each.dataset.keys, each.href]),
);

// Whoever speaks to their browser, or types with a stick, can switch letters off (WCAG 2.1.4).
const OFF = "handbill-letters-off";
const letters = document.querySelector("[data-letters]");
if (letters) {
  const tick = letters.querySelector("input");
  letters.hidden = false;
  tick.checked = !localStorage.getItem(OFF);
  tick.addEventListener("change", () => {
    if (tick.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
}

function open() {
  if (box.open) return;
  field.value = "";
  found.replaceChildren(...rooms.cloneNode(true).childNodes);
  box.showModal();
  field.focus();
}

document.querySelector("[data-quick]")?.addEventListener("click", (event) => {
  event.preventDefault();
  open();
});

let asking = new AbortController();
async function ask() {
  asking.abort();
  asking = new AbortController();
  if (!field.value.trim()) {
    found.replaceChildren(...rooms.cloneNode(true).childNodes);
    return;
  }
  try {
    const answer = await fetch(field.form.action, {
      method: "POST",
      headers: { "HX-Request": "true" },
      body: new URLSearchParams(new FormData(field.form)),
      signal: asking.signal,
    });
    if (answer.ok) found.innerHTML = await answer.text();
    else field.form.submit();
  } catch (problem) {
    if (problem.name !== "AbortError") throw problem;
  }
}

let soon = 0;
field.addEventListener("input", () => {
  clearTimeout(soon);
  soon = setTimeout(ask, 120);
});
field.form.addEventListener("submit", (event) => {
  const first = found.querySelector("a");
  if (!first || !field.value.trim()) return;
  event.preventDefault();
  first.click();
});

box.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    const stops = [field, ...found.querySelectorAll("a")];
    const at = stops.indexOf(document.activeElement);
    stops[(Math.max(at, 0) + step + stops.length) % stops.length].focus();
  } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && document.activeElement !== field) {
    field.focus();
  }
});
box.addEventListener("click", (event) => { if (event.target === box) box.close(); });

const isTyping = (target) =>
  target.isContentEditable || target.closest?.("input, textarea, select, trix-editor, [contenteditable], dialog");

let first = "";
let forget = 0;
addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !event.shiftKey) {
    if (isTyping(event.target) && event.target.closest("trix-editor")) return;
    event.preventDefault();
    open();
    return;
  }
  if (event.ctrlKey || event.metaKey || isTyping(event.target) || localStorage.getItem(OFF)) return;
  const wanted = places[`${first} ${event.key}`];
  clearTimeout(forget);
  first = "";
  if (wanted) location.assign(wanted);
  else if (event.key === "/") open();
  else if (event.key === "?") location.assign(box.querySelector('a[href="/staff/keys"]').href);
  else {
    first = event.key;
    forget = setTimeout(() => { first = ""; }, 1500);
    return;
  }
  event.preventDefault();
});
