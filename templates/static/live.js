// Shows how sending is getting on while the page is open, from server-sent events.
// Without it, or where the stream can't be had, the link in the page loads it anew.

const SPOKEN_EVERY_MS = 30_000;
const CALM_EVERY_MS = 5_000;
const MOST = 3; // A browser opens few connections to one place, and pages need some.
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function write(place, text) {
  if (place && place.textContent !== text) place.textContent = text;
}

function show(block, told) {
  const bar = block.querySelector("progress");
  bar.max = told.maximum || 1;
  bar.value = told.value;
  for (const [name, text] of Object.entries(told.texts)) {
    write(block.querySelector(`[data-text="${name}"]`), text);
  }
  for (const [name, lines] of Object.entries(told.lists)) {
    const list = block.querySelector(`[data-list="${name}"]`);
    const kept = [...list.children].map((each) => each.textContent);
    list.parentElement.hidden = lines.length === 0;
    if (kept.join("\n") === lines.join("\n")) continue;
    list.replaceChildren(...lines.map((line) => {
      const item = document.createElement("li");
      item.textContent = line;
      return item;
    }));
  }
}

function follow(block) {
  const spoken = block.querySelector("[data-said]");
  let source = null;
  let shownAt = 0;
  let spokenAt = performance.now();

  const open = () => {
    source = new EventSource(block.dataset.live);
    source.addEventListener("progress", (event) => {
      block.querySelector("[data-again]").hidden = true;
      const at = performance.now();
      if (calm.matches && at - shownAt < CALM_EVERY_MS) return;
      const told = JSON.parse(event.data);
      show(block, told);
      shownAt = at;
      if (at - spokenAt < SPOKEN_EVERY_MS) return;
      write(spoken, told.said);
      spokenAt = at;
    });
    source.addEventListener("over", () => {
      source.close();
      location.reload();
    });
    source.addEventListener("error", () => {
      block.querySelector("[data-again]").hidden = false;
    });
  };

  // A tab that nobody looks at asks for nothing.
  document.addEventListener("visibilitychange", () => {
    source?.close();
    if (!document.hidden) open();
  });
  if (!document.hidden) open();
}

[...document.querySelectorAll("[data-live]")].slice(0, MOST).forEach(follow);
