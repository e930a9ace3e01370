// The composer: blocks are added, moved, written in place and looked at. Without it, links and
// buttons lead to pages that do the same.
import Sortable from "./vendor/sortable.esm.js";
import * as company from "./composer-company.js";
import { announce, fieldsOf, here, list, mayWrite, reach, root, show, status, version, words } from "./composer-page.js";
import * as preview from "./composer-preview.js";
import { rove } from "./roving.js";
import * as spare from "./composer-spare.js";
import * as steps from "./composer-steps.js";
import * as writing from "./composer-writing.js";

const FOLDED = `handbill:folded:${here}`;
const folded = new Set(JSON.parse(sessionStorage.getItem(FOLDED) ?? "[]"));
const blocks = () => [...list.children];

async function arrange(fields) {
  if (!(await writing.flush())) return null;
  const answer = await reach(`${here}/arrange`, fieldsOf({ version: version(), ...fields }));
  if (!answer) return null;
  const shown = show(await answer.text());
  writing.dropIfGone();
  if (!answer.ok || !shown) {
    root.querySelector("[data-focus]")?.focus();
    return null;
  }
  if (shown.before) steps.push(Number(shown.before), Number(shown.version));
  status(shown.said, "good");
  announce(shown.said);
  return shown;
}

// Of an address such as …/blocks/1a2b3c or …/blocks/1a2b3c/words/7; blank for what is no block's.
const blockOf = (url) => url.split("/blocks/")[1]?.split("/")[0] ?? "";
const holderOf = (url) => document.getElementById(`block-${blockOf(url)}`) ?? document.getElementById("subjects");

async function open(url, field = "") {
  unfold(blockOf(url));
  await writing.start(url, holderOf(url), { field });
}

async function add(kind, after) {
  leaveInserter();
  const shown = await arrange({ action: "add", kind, after });
  if (shown?.opened) await open(`${here}/blocks/${shown.opened}`);
}

// A press of an arrow or Alt with an arrow key moves a block, and the focus stays with it.
async function press(form, button) {
  const block = form.closest(".block");
  const neighbour = block.nextElementSibling ?? block.previousElementSibling;
  const action = button.value;
  const shown = await arrange({ action, block: block.dataset.id });
  if (!shown) return;
  if (action === "delete") (neighbour?.querySelector("h3") ?? document.getElementById("blocks-title")).focus();
  if (action === "duplicate") document.getElementById(block.id).nextElementSibling?.querySelector("[data-open]").focus();
}

let inserter = null;
function closeInserter() {
  inserter?.panel.remove();
  inserter?.link.setAttribute("aria-expanded", "false");
  inserter = null;
}

// Its link takes the focus along, which would be nowhere else until a form is open, or if none comes.
function leaveInserter() {
  const link = inserter?.link;
  closeInserter();
  link?.focus();
}

function insert(link) {
  const wasHere = inserter?.link === link;
  closeInserter();
  if (wasHere) return;
  const panel = root.querySelector("[data-adders]").cloneNode(true);
  panel.classList.add("inserter");
  panel.setAttribute("aria-label", link.getAttribute("aria-label"));
  panel.removeAttribute("aria-labelledby");
  panel.dataset.after = new URL(link.href).searchParams.get("after") ?? "";
  link.after(panel);
  rove(panel);
  link.setAttribute("aria-expanded", "true");
  inserter = { panel, link };
  panel.querySelector("a").focus();
}

function fold(block, isFolded) {
  block.classList.toggle("is-folded", isFolded);
  const button = block.querySelector("[data-collapse]");
  button?.setAttribute("aria-expanded", String(!isFolded));
  folded[isFolded ? "add" : "delete"](block.dataset.id);
  sessionStorage.setItem(FOLDED, JSON.stringify([...folded]));
  const all = root.querySelector("[data-collapse-all]");
  all.textContent = blocks().every((each) => folded.has(each.dataset.id)) && blocks().length ? words.expand : words.collapse;
}

function unfold(id) {
  const block = document.getElementById(`block-${id}`);
  if (block) fold(block, false);
}

function dress() {
  for (const each of list.querySelectorAll("[data-handle], [data-collapse]")) each.hidden = false;
  for (const each of blocks()) fold(each, folded.has(each.dataset.id));
  equip();
}

// What can be done with a block is one stop for Tab, so that one is soon at the next.
function equip() {
  for (const each of list.querySelectorAll(".tools")) rove(each, each.closest("header").querySelector("h3").textContent.trim());
}

function click(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const target = event.target.closest("a, button");
  if (!target || !root.contains(target)) return;
  const block = target.closest(".block");
  const path = target.pathname ?? "";
  const isOfBlock = path === `${here}/head` || (path.startsWith(`${here}/blocks/`) && !path.endsWith("/new"));
  if (target.dataset.add) add(target.dataset.add, target.closest("[data-adders]").dataset.after ?? "");
  else if ("insert" in target.dataset) insert(target);
  else if (isOfBlock && mayWrite) open(path, target.hash.replace(/^#f-/, ""));
  else if ("collapse" in target.dataset) fold(block, !folded.has(block.dataset.id));
  else if ("collapseAll" in target.dataset) {
    const isFolded = target.textContent === words.collapse;
    for (const each of blocks()) fold(each, isFolded);
  } else if (target.closest("#jump")) {
    const wanted = document.querySelector(target.hash);
    document.getElementById("jump").open = false;
    wanted?.scrollIntoView({ block: "start" });
    wanted?.querySelector("h3").focus();
  } else return;
  event.preventDefault();
}

function keydown(event) {
  if (event.key === "Escape" && inserter) leaveInserter();
  else if (event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key)) {
    const header = event.target.closest(".block > header");
    const button = header?.querySelector(`button[value="${event.key === "ArrowUp" ? "up" : "down"}"]`);
    if (!button) return;
    event.preventDefault();
    if (!button.disabled) press(button.form, button);
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && writing.current()?.form.contains(event.target)) {
    event.preventDefault();
    event.stopPropagation();
    writing.close();
  }
}

function start() {
  for (const each of root.querySelectorAll("[data-scripted]")) each.hidden = false;
  root.classList.add("is-live");
  root.addEventListener("click", click);
  root.addEventListener("keydown", keydown, true);
  root.addEventListener("composer:shown", dress);
  root.addEventListener("composer:opened", equip);
  root.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-arrange]") || !event.submitter) return;
    event.preventDefault();
    press(event.target, event.submitter);
  });
  dress();
  const adders = root.querySelector("[data-adders]");
  if (adders) {
    for (const each of adders.children) each.setAttribute("role", "none");
    rove(adders);
  }
  preview.listen();
  if (!mayWrite) return;
  steps.listen();
  company.listen();
  spare.offer(async (url, kept) => {
    await writing.start(url, holderOf(url), { words: kept });
  });
  Sortable.create(list, {
    handle: "[data-handle]",
    animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 150,
    onEnd({ oldIndex, newIndex }) {
      if (oldIndex !== newIndex) arrange({ action: "order", order: blocks().map((each) => each.dataset.id).join(",") });
    },
  });
}

start();
