// Small helps that pages can do without: copying, unsaved words, the size of the text, rich text.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.closest(".copy").querySelector("code").textContent);
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

for (const link of document.querySelectorAll("[data-text-size]")) {
  const target = new URL(location.href);
  target.searchParams.set("text", link.dataset.textSize);
  link.href = target;
}

document.querySelector("[data-focus]")?.focus();

// A form marked data-guard asks before typed words are lost.
for (const form of document.querySelectorAll("form[data-guard]")) {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}

// Regions that scroll can be reached by keyboard.
for (const region of document.querySelectorAll(".table-wrap:not([tabindex])")) {
  if (region.scrollWidth > region.clientWidth) {
    region.tabIndex = 0;
    region.setAttribute("role", "region");
    region.setAttribute("aria-label", document.querySelector("h1")?.textContent.trim() ?? "");
  }
}

const rich = document.querySelectorAll("[data-rich] textarea");
if (rich.length) {
  const { edit } = await import("./editor.js");
  rich.forEach(edit);
}
