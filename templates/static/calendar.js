// What is scheduled is moved by dragging it to another day; "Move…" does the same by keyboard.
const form = document.querySelector("#drop");
const table = document.querySelector(".calendar");
if (form && table) {
  let dragged = null;
  for (const entry of table.querySelectorAll("[data-move]")) {
    entry.draggable = true;
    entry.addEventListener("dragstart", (event) => {
      dragged = entry;
      entry.dataset.dragged = "";
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", entry.textContent.trim());
    });
    entry.addEventListener("dragend", () => {
      delete entry.dataset.dragged;
      dragged = null;
    });
  }
  for (const day of table.querySelectorAll("td[data-day]")) {
    day.addEventListener("dragover", (event) => {
      if (!dragged || day.contains(dragged)) return;
      event.preventDefault();
      day.dataset.over = "";
    });
    day.addEventListener("dragleave", () => delete day.dataset.over);
    day.addEventListener("drop", (event) => {
      if (!dragged) return;
      event.preventDefault();
      form.action = dragged.dataset.move;
      form.elements.day.value = day.dataset.day;
      form.elements.back.value = table.dataset.back;
      form.requestSubmit();
    });
  }
}
