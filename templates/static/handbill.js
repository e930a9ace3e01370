// Small helps that pages can do without: the menu, copying, unsaved words, tables, rich text.

// Buttons that come with a part of the page, later, work as well.
const offerCopying = () => {
  for (const button of document.querySelectorAll("[data-copy][hidden]")) {
    if (navigator.clipboard) button.hidden = false;
  }
};
offerCopying();
new MutationObserver(offerCopying).observe(document.documentElement, { childList: true, subtree: true });
addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const label = button.textContent;
  await navigator.clipboard.writeText(button.closest(".copy").querySelector("code").textContent);
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = label; }, 2000);
});

document.querySelector("[data-focus]")?.focus();

// Escape closes the innermost menu that is open; a press elsewhere closes all of it.
const openMenus = () => [...document.querySelectorAll(":is(.menu, .rooms, .jump)[open]")];
addEventListener("keydown", (event) => {
  const menu = openMenus().at(-1);
  if (event.key !== "Escape" || !menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

// A form marked data-guard asks before typed words are lost.
for (const form of document.querySelectorAll("form[data-guard]")) {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}

// Tables wider than the window can be scrolled by keyboard; their caption or the heading before
// them says what they hold. That is no landmark: the section around them may be one of that name.
function nameOf(region) {
  const caption = region.querySelector("caption");
  if (caption) return caption.textContent.trim();
  const headings = [...document.querySelectorAll("main :is(h1, h2, h3)")];
  const before = headings.filter(
    (each) => each.compareDocumentPosition(region) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
  return before.at(-1)?.textContent.trim() ?? document.title;
}

const widths = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const isWide = target.scrollWidth > target.clientWidth;
    if (isWide && !target.hasAttribute("tabindex")) {
      target.tabIndex = 0;
      target.setAttribute("role", "group");
      target.setAttribute("aria-label", nameOf(target));
    }
  }
});
document.querySelectorAll(".table-wrap").forEach((region) => widths.observe(region));

if (document.querySelector(".table-wrap, .staff")) {
  (await import("./stacking.js")).watch();
}

const rich = document.querySelectorAll("[data-rich] textarea");
if (rich.length) {
  const { edit } = await import("./editor.js");
  rich.forEach(edit);
}

const choices = document.querySelectorAll("form:has([data-choosing], [data-fill])");
if (choices.length) {
  const { fit } = await import("./choosing.js");
  choices.forEach(fit);
}
