// The form on a tablet: several languages, sealed entries, and back to the start so that nobody reads on.
import { Queue, seal } from "./kiosk-queue.js";
import { isAddress, suggestion } from "./slips.js";

const THANKS_MS = 10_000;
const WARNING_MS = 12_000;
const AGAIN_MS = 15_000;

const main = document.querySelector("[data-kiosk]");
const { key, info, source, idle, send, worker } = main.dataset;
const tags = JSON.parse(main.dataset.tags);
const slips = JSON.parse(main.dataset.slips);
const parts = [...main.querySelectorAll("[data-language]")];
const buttons = [...document.querySelectorAll("[data-speak]")];
const waiting = document.querySelector("[data-waiting]");
const queue = new Queue(send);

let spoken = parts[0];
let timer = 0;
const told = () => spoken.querySelector(".here").dataset;

function values(part) {
  return new FormData(part.querySelector("[data-form]"));
}

function fill(part, found) {
  for (const field of part.querySelectorAll("[data-form] [name]")) {
    if (field.type === "checkbox") field.checked = found.getAll(field.name).includes(field.value);
    else if (field.type !== "hidden") field.value = found.get(field.name) ?? "";
  }
}

function speak(language) {
  const before = spoken;
  spoken = parts.find((part) => part.dataset.language === language);
  if (before !== spoken) fill(spoken, values(before));
  document.documentElement.lang = language;
  document.documentElement.dir = spoken.dir;
  for (const part of parts) part.hidden = part !== spoken;
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(button.dataset.speak === language));
  }
  showWaiting();
}

// Everything that was typed is gone, in every language; the next person begins.
function begin() {
  clearTimeout(timer);
  for (const part of parts) {
    part.querySelector("[data-still]").close();
    part.querySelector("[data-form]").reset();
    part.querySelector("[data-form]").hidden = false;
    part.querySelector("[data-thanks]").hidden = true;
    complain(part, "");
  }
  speak(parts[0].dataset.language);
  document.activeElement?.blur();
  scrollTo(0, 0);
}

function complain(part, words, meant = "") {
  const problem = part.querySelector("[data-problem]");
  const take = part.querySelector("[data-take]");
  const field = part.querySelector("[name=email]");
  problem.textContent = words;
  problem.hidden = !words;
  take.textContent = meant;
  take.hidden = !meant;
  field.toggleAttribute("aria-invalid", Boolean(words));
  if (words) {
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", problem.id);
    field.focus();
  } else {
    field.removeAttribute("aria-describedby");
  }
}

function watch() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    spoken.querySelector("[data-still]").showModal();
    timer = setTimeout(begin, WARNING_MS);
  }, Number(idle) * 1000);
}

function touched(event) {
  if (!spoken.querySelector("[data-thanks]").hidden) return;
  const dialog = spoken.querySelector("[data-still]");
  if (dialog.open && event.type !== "click") return;
  dialog.close();
  watch();
}

async function showWaiting() {
  try {
    // Browsers seal only on pages that came by https, or from this machine.
    if (!crypto.subtle) throw new Error("this page can't seal anything");
    const number = await queue.count();
    const words = number === 1 ? told().waitsOne : told().waitsMany.replace("{number}", number);
    const wrong = queue.refused ? told().refused.replace("{number}", queue.refused) : "";
    waiting.textContent = [number ? words : "", wrong].filter(Boolean).join(" ");
    waiting.dataset.number = number;
  } catch {
    waiting.textContent = told().broken;
  }
}

async function deliver() {
  try {
    await queue.send();
  } finally {
    await showWaiting();
  }
}

function thank() {
  const thanks = spoken.querySelector("[data-thanks]");
  clearTimeout(timer);
  spoken.querySelector("[data-form]").reset();
  spoken.querySelector("[data-form]").hidden = true;
  thanks.hidden = false;
  thanks.querySelector("h1").focus();
  timer = setTimeout(begin, THANKS_MS);
}

async function submit(form) {
  const found = new FormData(form);
  const email = found.get("email").trim();
  if (!isAddress(email)) return complain(spoken, told().wrong);
  const meant = suggestion(email, slips);
  if (meant && form.dataset.sure !== email) {
    form.dataset.sure = email;
    return complain(spoken, told().meant.replace("{address}", meant), meant);
  }
  delete form.dataset.sure;
  const entry = {
    email,
    first_name: found.get("first_name") ?? "",
    last_name: found.get("last_name") ?? "",
    postal_code: found.get("postal_code") ?? "",
    topics: found.getAll("topic"),
    language: spoken.dataset.language,
    source,
    tags,
    typed_at: new Date().toISOString(),
  };
  try {
    await queue.add(await seal(entry, { key, info }));
  } catch {
    return complain(spoken, told().broken);
  }
  complain(spoken, "");
  thank();
  return deliver();
}

for (const part of parts) {
  const form = part.querySelector("[data-form]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form);
  });
  part.querySelector("[data-take]").addEventListener("click", (event) => {
    part.querySelector("[name=email]").value = event.target.textContent;
    complain(part, "");
  });
  part.querySelector("[data-next]").addEventListener("click", begin);
  part.querySelector("[data-stay]").addEventListener("click", watch);
}
for (const button of buttons) button.addEventListener("click", () => speak(button.dataset.speak));
for (const kind of ["click", "keydown", "input", "pointermove"]) addEventListener(kind, touched);

const full = document.querySelector("[data-full]");
if (document.fullscreenEnabled) {
  full.hidden = false;
  full.addEventListener("click", () =>
    document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen(),
  );
}

addEventListener("online", deliver);
addEventListener("pageshow", begin);
document.addEventListener("visibilitychange", () => { if (document.hidden) begin(); });
setInterval(deliver, AGAIN_MS);

// The page itself stays on the tablet: the worker is told what it is made of.
async function stay() {
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register(worker, { scope: "/kiosk/" });
  const { active } = await navigator.serviceWorker.ready;
  const loaded = performance.getEntriesByType("resource").map((each) => new URL(each.name));
  const files = loaded.filter((url) => url.origin === location.origin && url.pathname.startsWith("/static/"));
  const channel = new MessageChannel();
  channel.port1.onmessage = () => { document.documentElement.dataset.stays = "true"; };
  active.postMessage({ page: location.href, parts: files.map(String) }, [channel.port2]);
}

begin();
deliver();
if (document.readyState === "complete") stay();
else addEventListener("load", stay);
