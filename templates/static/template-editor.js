// A template's source in a code editor, with what is wrong on its line, and a mail in it beside.
// Without it, saving says what is wrong, and the mail opens in a window of its own.

const PAUSE_MS = 400;
const form = document.querySelector("[data-template]");
const source = form.elements.source;
const flaws = form.querySelector("[data-flaws]");
const samples = document.querySelector("[data-samples]");
const sampleForm = document.querySelector("[data-sample-form]");
let code = null;
let view = null;

// Where the editor can't be had, the text area does.
async function lay() {
  try {
    code = await import("./code.js");
  } catch {
    return;
  }
  view = code.edit(source, { name: "l-source", about: "h-source h-keys flaws" });
  document.getElementById("l-source").addEventListener("click", () => view.focus());
  form.querySelector("[data-keys]").hidden = source.readOnly;
  mark();
}

function mark() {
  if (!view) return;
  const told = [...flaws.querySelectorAll("[data-line]")].map((each) => [Number(each.dataset.line), each.dataset.words]);
  code.mark(view, told);
}

function go(line) {
  if (view) return void code.go(view, line);
  const before = source.value.split("\n").slice(0, line - 1).join("\n").length;
  const at = line > 1 ? before + 1 : 0;
  source.focus();
  source.setSelectionRange(at, at);
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

await lay();
if (!source.readOnly) {
  source.addEventListener("input", soon);
  sampleForm.elements.scheme.addEventListener("change", look);
  flaws.addEventListener("click", (event) => {
    const line = event.target.dataset?.go;
    if (!line) return;
    event.preventDefault();
    go(Number(line));
  });
  look();
}
