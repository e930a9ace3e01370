// Blocks can be dragged into another order; without this, their buttons do the same.
import Sortable from "./vendor/sortable.esm.js";

function start() {
  const list = document.querySelector("[data-sortable]:not([data-started])");
  const form = document.querySelector("form[data-order]");
  if (!list || !form) return;
  list.dataset.started = "";
  for (const handle of list.querySelectorAll("[data-handle]")) handle.hidden = false;
  Sortable.create(list, {
    handle: "[data-handle]",
    animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 150,
    onEnd({ oldIndex, newIndex }) {
      if (oldIndex === newIndex) return;
      form.elements.order.value = [...list.children].map((each) => each.dataset.id).join(",");
      form.requestSubmit();
    },
  });
}

start();
// After htmx has exchanged the list, the new one is made sortable too.
new MutationObserver(start).observe(document.querySelector("main"), { childList: true, subtree: true });
