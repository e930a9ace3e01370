// A translator's page: words are kept while they are written, and a key leads to the next text.
const form = document.querySelector("[data-translation]");
const status = form?.querySelector("[data-status]");
const states = JSON.parse(form?.dataset.states || "{}");
const tones = { done: "good", behind: "warn", missing: "busy" };
const AFTER = 1200;
// Browsers let no more than 64 KiB outlive a page.
const KEEPALIVE = 60_000;

if (form && status) {
  const changed = new Set();
  const underway = new Set();
  const unkept = new Set();
  let saves = 0;
  let isAway = false;
  let isLeaving = false;
  let timer = 0;
  let turn = Promise.resolve();
  const first = form.elements.version.value;

  // What is said once is not said again with every key: it is read out.
  const say = (words) => { if (status.textContent !== words) status.textContent = words; };
  const pairOf = (node) => node.closest?.("[data-place]");
  const fieldsOf = (pair) =>
    [...form.elements].filter((each) => each.name?.startsWith(`${pair.dataset.place}:`));

  form.addEventListener("input", (event) => {
    const pair = pairOf(event.target);
    if (!pair) return;
    changed.add(pair);
    say(form.dataset.unsaved);
    clearTimeout(timer);
    timer = setTimeout(keep, AFTER);
  });
  form.addEventListener("focusout", () => { if (changed.size) keep(); });
  addEventListener("visibilitychange", () => { if (document.hidden && changed.size) keep(); });
  // What is on its way arrives without this page; what waits behind it would not.
  addEventListener("beforeunload", (event) => { if (!isLeaving && (changed.size || saves > 1)) event.preventDefault(); });

  // One text after another: each knows the version that it was written over.
  function keep() {
    clearTimeout(timer);
    for (const pair of changed) {
      changed.delete(pair);
      underway.add(pair);
      inTurn(pair);
    }
    return turn;
  }

  function inTurn(pair, version) {
    saves += 1;
    turn = turn.then(() => send(pair, version)).finally(() => { saves -= 1; });
  }

  async function send(pair, version = pair.dataset.version || first) {
    unkept.add(pair);
    const body = new FormData();
    for (const name of ["csrf_token", "language", "source_version"]) body.set(name, form.elements[name].value);
    body.set("version", version);
    for (const field of fieldsOf(pair)) body.set(field.name, field.value);
    const encoded = new URLSearchParams(body).toString();
    say(form.dataset.saving);
    isAway = true;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: encoded,
        headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8" },
        keepalive: encoded.length < KEEPALIVE,
      });
      isAway = false;
      if (!answer.ok) throw new Error(String(answer.status));
      show(pair, await answer.json());
    } catch {
      changed.add(pair);
      say(form.dataset.failed);
    } finally {
      underway.delete(pair);
      offerNext();
    }
  }

  function show(pair, said) {
    const wrong = Object.values(said.problems);
    const theirs = said.theirs[pair.dataset.place];
    const state = changed.size ? "unsaved" : saves > 1 ? "saving" : "saved";
    say(wrong.length || theirs ? "" : form.dataset[state]);
    const isAtTold = Boolean(document.activeElement.closest("[data-told]"));
    pair.querySelectorAll("[data-told]").forEach((each) => each.remove());
    if (isAtTold) enter(pair);
    for (const [name, words] of Object.entries(said.problems)) {
      const field = fieldsOf(pair).find((each) => each.name === name);
      const line = tell("error", words);
      (field?.closest(".field") ?? pair).append(line);
    }
    if (theirs) {
      offer(pair, theirs, said.version);
      return;
    }
    if (wrong.length) return;
    unkept.delete(pair);
    pair.dataset.version = said.version;
    mark(pair, said.states[pair.dataset.place]);
    const progress = document.querySelector("[data-progress]");
    progress.textContent = progress.dataset.progress
      .replace("{done}", said.done)
      .replace("{total}", said.total);
  }

  function mark(pair, state) {
    if (!state) return;
    pair.dataset.state = state;
    const word = pair.querySelector("[data-word]");
    word.textContent = states[state];
    word.dataset.tone = tones[state];
    if (state !== "behind") pair.querySelector(".moved")?.remove();
  }

  // What somebody else wrote stands there to be read; a press keeps ours over theirs.
  function offer(pair, theirs, version) {
    const box = tell("note", form.dataset.theirs);
    box.dataset.tone = "warn";
    for (const words of Object.values(theirs)) {
      const line = document.createElement("p");
      line.textContent = new DOMParser().parseFromString(words, "text/html").body.textContent;
      box.append(line);
    }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.dataset.tone = "quiet";
    button.textContent = form.dataset.mine;
    button.addEventListener("click", () => inTurn(pair, version));
    box.append(button);
    pair.append(box);
  }

  function tell(kind, words) {
    const box = document.createElement(kind === "error" ? "p" : "div");
    box.className = kind;
    box.dataset.told = "";
    box.setAttribute("role", "alert");
    box.append(words);
    return box;
  }

  const waiting = () =>
    [...form.querySelectorAll('[data-place]:not([data-state="done"])')].filter((each) => !underway.has(each));
  const next = form.querySelector("[data-next]");

  function offerNext() {
    if (next) next.hidden = !waiting().length;
  }

  function go(from) {
    const all = waiting();
    const later = all.find(
      (each) => !from || from.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING,
    );
    const pair = later ?? all[0];
    if (!pair) return;
    pair.scrollIntoView({ block: "start" });
    enter(pair);
  }

  // At its first field that is still empty.
  function enter(pair) {
    const fields = fieldsOf(pair);
    const field = fields.find((each) => !each.value) ?? fields[0];
    const editor = field?.closest(".field").querySelector("trix-editor, [contenteditable=true]");
    (editor ?? field ?? pair).focus({ preventScroll: true });
  }

  next?.addEventListener("click", (event) => {
    event.preventDefault();
    go(pairOf(document.activeElement));
  });
  document.querySelector("[data-keys]")?.removeAttribute("hidden");
  addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      event.stopPropagation();
      // At once: what is typed next is meant for the next text, however long this one takes to save.
      keep();
      go(pairOf(document.activeElement));
    },
    true,
  );
  // Who presses Save waits for what is being kept: sent a second time beside it, their own words
  // would look like somebody else's. The form then brings what could not be kept.
  form.addEventListener("submit", async (event) => {
    if (isLeaving || !(changed.size || saves)) return;
    event.preventDefault();
    await keep();
    if (isAway) return;
    isLeaving = true;
    form.requestSubmit(event.submitter);
  });
  addEventListener("pageshow", () => { isLeaving = false; });
  form.addEventListener("formdata", ({ formData }) => {
    for (const pair of form.querySelectorAll("[data-place]")) {
      if (!unkept.has(pair)) fieldsOf(pair).forEach((each) => formData.delete(each.name));
    }
  });
  offerNext();
}
