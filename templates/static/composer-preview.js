// The mail beside the blocks, as it would arrive, drawn anew while one types.
import { ask, fieldsOf, here, root } from "./composer-page.js";
import * as writing from "./composer-writing.js";

const PAUSE_MS = 120;
const box = root.querySelector("[data-preview]");
const looks = box.querySelector("[data-looks]");
const frame = box.querySelector("iframe");
let timer = 0;
let asked = 0;
let isStale = true;

// What is not seen is not drawn: on a phone the mail is behind its tab.
const isShown = () => box.getClientRects().length > 0 && getComputedStyle(box).visibility !== "hidden";

function soon() {
  isStale = true;
  clearTimeout(timer);
  timer = setTimeout(draw, PAUSE_MS);
}

async function draw() {
  if (!isShown() || !isStale) return;
  isStale = false;
  asked += 1;
  const number = asked;
  const open = writing.current();
  const fields = open ? new FormData(open.form) : new FormData();
  for (const [name, value] of [...fields]) if (value instanceof File) fields.delete(name);
  fields.set("typed_in", open ? open.url.slice(here.length + 1).replace("blocks/", "") : "");
  for (const [name, value] of new FormData(looks)) fields.set(`look_${name}`, value);
  let answer;
  try {
    answer = await ask(`${here}/draft`, fields, { accept: "application/json" });
  } catch {
    isStale = true;
    return;
  }
  if (number !== asked || !answer.headers.get("Content-Type")?.startsWith("application/json")) return;
  show(await answer.json());
}

function show(told) {
  const problem = box.querySelector("[data-preview-problem]");
  problem.hidden = !told.problem;
  problem.textContent = told.problem ?? "";
  if (told.problem) return;
  for (const [name, text] of Object.entries(told.texts)) {
    for (const each of box.querySelectorAll(`[data-told="${name}"]`)) {
      each.textContent = text;
      if (each.dataset.told !== "sender" && each.dataset.told !== "size") each.lang = told.lang;
    }
  }
  write(told.html);
}

// The document in the frame stays, so that nothing flickers and one goes on reading where one was.
function write(html) {
  const page = frame.contentDocument;
  // Before the frame is loaded its document is ours, with a policy that lets no mail look right.
  if (!page?.URL.includes("/mail")) {
    isStale = true;
    return;
  }
  const [, attributes, inside] = html.match(/<html([^>]*)>([\s\S]*)<\/html>/i) ?? [null, "", html];
  const { scrollY } = frame.contentWindow;
  for (const [, name, value] of attributes.matchAll(/([\w-]+)="([^"]*)"/g)) page.documentElement.setAttribute(name, value);
  // Read by the frame's own document, whose policy lets a mail bring its styles; ours does not.
  page.documentElement.innerHTML = inside;
  frame.contentWindow.scrollTo(0, scrollY);
}

async function somebody() {
  const answer = await ask(`${here}/somebody`, fieldsOf({ email: looks.elements.email.value }), { accept: "application/json" });
  if (!answer.headers.get("Content-Type")?.startsWith("application/json")) return;
  const told = await answer.json();
  looks.elements.reader.value = told.reader ?? "";
  box.querySelector("[data-reader]").textContent = told.said;
  box.querySelector("[data-nobody]").hidden = !told.reader;
  soon();
}

function changed() {
  const { width, scheme, part } = Object.fromEntries(new FormData(looks));
  box.dataset.part = part;
  frame.dataset.width = width;
  box.querySelector(".inbox").dataset.scheme = scheme ?? "light";
  soon();
}

function view(name) {
  root.dataset.view = name;
  for (const each of root.querySelectorAll("[data-view]")) each.setAttribute("aria-pressed", String(each.dataset.view === name));
  draw();
}

/** Begins to draw. */
export function listen() {
  box.hidden = false;
  root.dataset.view = "writing";
  for (const each of root.querySelectorAll("button[data-view]")) each.addEventListener("click", () => view(each.dataset.view));
  looks.addEventListener("submit", (event) => {
    event.preventDefault();
    if (looks.elements.email.value) somebody();
  });
  looks.addEventListener("change", (event) => { if (event.target.name !== "email") changed(); });
  box.querySelector("[data-somebody]").addEventListener("click", () => {
    looks.elements.email.value = "";
    somebody();
  });
  box.querySelector("[data-nobody]").addEventListener("click", () => {
    looks.elements.reader.value = looks.elements.email.value = "";
    box.querySelector("[data-reader]").textContent = "";
    box.querySelector("[data-nobody]").hidden = true;
    looks.elements.email.focus();
    soon();
  });
  for (const name of ["composer:typed", "composer:shown", "composer:opened"]) root.addEventListener(name, soon);
  frame.addEventListener("load", changed);
  changed();
}
