// A long list to choose from: a search, and arrows that bring what is chosen into an order.
// Without it, the boxes can be ticked, and stand in the order in which they are shown.

import { show as showRich } from "./editor.js";

/** Fits out the lists and buttons of a form. */
export function fit(form) {
  for (const list of form.querySelectorAll("[data-choosing]")) choose(list, JSON.parse(list.dataset.choosing));
  for (const button of form.querySelectorAll("[data-fill]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.fill);
      if (!showRich(field, button.dataset.value)) field.value = button.dataset.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    });
  }
}

function choose(list, words) {
  const fieldset = list.querySelector("fieldset");
  const entries = () => [...fieldset.querySelectorAll(".choice")];
  const search = document.createElement("input");
  search.type = "search";
  search.setAttribute("aria-label", words.search);
  search.placeholder = words.search;
  const none = document.createElement("p");
  none.className = "hint";
  none.setAttribute("role", "status");
  fieldset.querySelector(".choice").before(search, none);
  search.addEventListener("input", (event) => {
    event.stopPropagation();
    const wanted = search.value.toLocaleLowerCase().split(/\s+/);
    const found = entries().filter((each) => {
      const text = each.textContent.toLocaleLowerCase();
      each.hidden = !wanted.every((word) => text.includes(word));
      return !each.hidden;
    });
    none.textContent = found.length ? "" : words.none;
  });
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  for (const each of entries()) arrows(each, words, fieldset);
}

function arrows(entry, words, fieldset) {
  const box = entry.querySelector("input");
  const pair = document.createElement("span");
  pair.className = "cluster arrows";
  const name = entry.querySelector("label").textContent.trim();
  for (const [step, sign, label] of [[-1, "↑", words.up], [1, "↓", words.down]]) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button", textContent: sign });
    button.dataset.tone = "quiet";
    button.setAttribute("aria-label", `${label}: ${name}`);
    button.addEventListener("click", () => {
      const chosen = [...fieldset.querySelectorAll(".choice:has(input:checked)")];
      const other = chosen[chosen.indexOf(entry) + step];
      if (!other) return;
      other[step < 0 ? "before" : "after"](entry);
      button.focus();
      box.dispatchEvent(new Event("input", { bubbles: true }));
    });
    pair.append(button);
  }
  const show = () => { pair.hidden = !box.checked; };
  box.addEventListener("change", () => {
    // What is newly chosen stands behind what was chosen before.
    const chosen = [...fieldset.querySelectorAll(".choice:has(input:checked)")].filter((each) => each !== entry);
    if (box.checked && chosen.length) chosen.at(-1).after(entry);
    box.focus();
    show();
  });
  entry.append(pair);
  show();
}
