// Typing in a sheet without the mouse: Enter goes on, slips are pointed out, new rows come by themselves.
import { suggestion } from "./slips.js";

const form = document.querySelector("[data-sheet]");
const body = form.querySelector("tbody");
const count = form.querySelector("[data-count]");
const slips = JSON.parse(form.dataset.slips);
const MOST = 60;

function offer(row) {
  const field = row.querySelector("input[type=email]");
  const button = row.querySelector("[data-suggested]");
  const meant = suggestion(field.value, slips) ?? "";
  button.dataset.suggested = meant;
  button.textContent = form.dataset.take.replace("{address}", meant);
  button.hidden = !meant;
}

// A row like the last one, empty, in the language of the last.
function more() {
  const rows = body.querySelectorAll("[data-row]");
  if (rows.length >= MOST) return null;
  const last = rows[rows.length - 1];
  const row = last.cloneNode(true);
  const place = rows.length + 1;
  for (const field of row.querySelectorAll("[name]")) {
    field.name = field.name.replace(/\d+$/, place);
    if (field.tagName === "INPUT") field.value = "";
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
    field.setAttribute("aria-labelledby", (field.getAttribute("aria-labelledby") ?? "").replace(/\d+$/, place));
  }
  row.querySelector("select").value = last.querySelector("select").value;
  row.querySelector("th").id = `r-${place}`;
  row.querySelector("th").textContent = place;
  row.querySelectorAll(".error, input[type=hidden]").forEach((each) => each.remove());
  row.querySelector("[data-suggested]").hidden = true;
  body.append(row);
  count.value = place;
  return row;
}

form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input, select")) return;
  event.preventDefault();
  if (event.ctrlKey || event.metaKey) return form.requestSubmit();
  const row = event.target.closest("[data-row]");
  const next = row.nextElementSibling ?? more();
  next?.querySelector("input").focus();
});

form.addEventListener("change", (event) => {
  const row = event.target.closest("[data-row]");
  if (!row) return;
  if (event.target.type === "email") offer(row);
  if (event.target.tagName !== "SELECT") return;
  // The next lines are mostly written in the same language.
  for (let next = row.nextElementSibling; next; next = next.nextElementSibling) {
    if (next.querySelector("input[type=email]").value) break;
    next.querySelector("select").value = event.target.value;
  }
});

form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-suggested]");
  if (!button) return;
  const field = button.closest("td").querySelector("input[type=email]");
  field.value = button.dataset.suggested;
  button.hidden = true;
  field.focus();
});

body.querySelectorAll("[data-row]").forEach(offer);
(body.querySelector("[aria-invalid]") ?? body.querySelector("input[type=email]")).focus();
