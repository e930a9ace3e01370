// Numbers the lines of a template, shows what is wrong on its line, and a mail in it beside.
// Without it, saving says what is wrong, and the mail opens in a window of its own.

const PAUSE_MS = 400;
const form = document.querySelector("[data-template]");
const source = form.elements.source;
const gutter = form.querySelector("[data-gutter]");
const flaws = form.querySelector("[data-flaws]");
const samples = document.querySelector("[data-samples]");
const sampleForm = document.querySelector("[data-sample-form]");

function number() {
  const lines = source.value.split("\n").length;
  while (gutter.children.length > lines) gutter.lastChild.remove();
  while (gutter.children.length < lines) {
    const line = document.createElement("li");
    line.textContent = String(gutter.children.length + 1);
    gutter.append(line);
  }
  gutter.scrollTop = source.scrollTop;
}

function mark() {
  for (const line of gutter.querySelectorAll("[data-flawed]")) line.removeAttribute("data-flawed");
  for (const flaw of flaws.querySelectorAll("[data-line]")) {
    gutter.children[Number(flaw.dataset.line) - 1]?.setAttribute("data-flawed", "");
  }
}

function go(line) {
  const before = source.value.split("\n").slice(0, line - 1).join("\n").length;
  const at = line > 1 ? before + 1 : 0;
  source.focus();
  source.setSelectionRange(at, at);
  source.scrollTop = (source.scrollHeight / gutter.children.length) * Math.max(0, line - 4);
}

async function look() {
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.dataset.check, { method: "POST", body });
  if (!answer.ok) return;
  flaws.innerHTML = await answer.text();
  mark();
  if (flaws.querySelector("[data-line]") || !sampleForm) return;
  samples.hidden = false;
  sampleForm.elements.source.value = source.value;
  sampleForm.submit();
}

let waiting = 0;
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(look, PAUSE_MS);
}

number();
mark();
source.addEventListener("scroll", () => { gutter.scrollTop = source.scrollTop; });
if (!source.readOnly) {
  source.addEventListener("input", () => { number(); soon(); });
  sampleForm.elements.scheme.addEventListener("change", look);
  flaws.addEventListener("click", (event) => {
    const line = event.target.dataset?.go;
    if (!line) return;
    event.preventDefault();
    go(Number(line));
  });
  look();
}
