// Pictures: dropped, pasted or chosen, each sent with its progress; the point that stays in view.
const IMAGES = /^image\/(jpeg|png|gif|webp)$/;
const token = () => document.querySelector('[name="csrf_token"]')?.value ?? "";

/** Sends one file; `told` hears the share that is sent. */
function send(url, file, told) {
  return new Promise((done, failed) => {
    const body = new FormData();
    body.set("csrf_token", token());
    body.set("file", file, file.name || "picture.png");
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) told(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      try {
        done(JSON.parse(request.responseText));
      } catch (problem) {
        failed(problem);
      }
    });
    request.addEventListener("error", failed);
    request.send(body);
  });
}

/** Takes files that are dropped on or pasted into a place, and those that its field chooses. */
function takes(place, url, words, kept) {
  const list = place.querySelector("[data-uploads]");
  const field = place.querySelector('input[type="file"]');
  const say = (msgid, file) => msgid.replace("{name}", file.name || "…");

  async function take(files) {
    for (const file of [...files].filter((each) => IMAGES.test(each.type))) {
      const line = document.createElement(list.matches("ul") ? "li" : "span");
      const bar = document.createElement("progress");
      bar.max = 1;
      bar.setAttribute("aria-label", say(words.sending, file));
      line.append(bar, say(words.sending, file));
      list.append(line);
      try {
        const said = await send(url, file, (share) => { bar.value = share; });
        const problem = Object.values(said.problems)[0];
        line.replaceChildren(problem ? `${file.name}: ${problem}` : say(words.kept, file));
        said.pictures.forEach(kept);
      } catch {
        line.replaceChildren(say(words.failed, file));
      }
    }
  }

  place.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.items].some((each) => each.kind === "file")) return;
    event.preventDefault();
    place.dataset.over = "";
  });
  place.addEventListener("dragleave", () => { delete place.dataset.over; });
  place.addEventListener("drop", (event) => {
    delete place.dataset.over;
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!place.isConnected || !files.length || event.target.closest?.("trix-editor, [contenteditable=true]")) return;
    event.preventDefault();
    take(files);
  });
  field.addEventListener("change", () => {
    take(field.files);
    field.value = "";
  });
}

function element(tag, values, ...children) {
  const made = Object.assign(document.createElement(tag), values);
  made.append(...children);
  return made;
}

const drop = document.querySelector("[data-drop]");
if (drop) {
  drop.querySelector('button[type="submit"]').remove();
  takes(drop, drop.action, drop.dataset, (picture) => {
    const shelf = document.querySelector("[data-pictures]");
    if (!shelf) {
      location.assign(`/staff/media/${picture.id}`);
      return;
    }
    const link = element(
      "a",
      { href: `/staff/media/${picture.id}` },
      element("img", { src: picture.path, alt: "" }),
      element("span", { textContent: picture.name }),
    );
    shelf.prepend(element("li", {}, link, element("small", { textContent: picture.size })));
  });
}

// Block forms may come later, with a part of the page.
function pick(picker) {
  const shelf = picker.querySelector("[data-pictures]");

  const choice = (picture) => {
    const radio = element("input", { type: "radio", name: "picture", value: picture.digest });
    radio.dataset.alts = JSON.stringify(picture.alts);
    const words = element("span", {}, radio, ` ${picture.name} `, element("small", { textContent: picture.size }));
    return element("label", {}, element("img", { src: picture.path, alt: "" }), words);
  };

  // What the library says of a picture goes where nothing is typed yet.
  const describe = (radio) => {
    for (const [code, words] of Object.entries(JSON.parse(radio.dataset.alts || "{}"))) {
      const field = picker.closest("form")?.querySelector(`[name="alt-${code}"]`);
      if (!field || (field.value && field.value !== field.dataset.given)) continue;
      field.value = field.dataset.given = words;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  shelf.addEventListener("change", (event) => {
    if (event.target.name === "picture") describe(event.target);
  });
  takes(picker, picker.dataset.upload, picker.dataset, (picture) => {
    shelf.querySelector(`[value="${picture.digest}"]`)?.closest("label").remove();
    const label = choice(picture);
    shelf.prepend(label);
    const radio = label.querySelector("input");
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  });

  let asked = 0;
  picker.querySelector("[data-find]").addEventListener("input", async (event) => {
    const turn = ++asked;
    const query = new URLSearchParams({ q: event.target.value });
    const answer = await fetch(`${picker.dataset.upload}?${query}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || turn !== asked) return;
    const chosen = shelf.querySelector(":checked")?.closest("label");
    const { pictures } = await answer.json();
    const found = pictures.filter((each) => each.digest !== chosen?.querySelector("input").value);
    shelf.replaceChildren(...(chosen ? [chosen] : []), ...found.map(choice));
  });
}

function offer() {
  for (const each of document.querySelectorAll("[data-scripted][hidden]")) each.hidden = false;
  for (const each of document.querySelectorAll("[data-picker]:not([data-ready])")) {
    each.dataset.ready = "";
    pick(each);
  }
}
offer();
new MutationObserver(offer).observe(document.documentElement, { childList: true, subtree: true });

const focal = document.querySelector("[data-focal]");
if (focal) {
  const stage = focal.querySelector("[data-stage]");
  const point = focal.querySelector("[data-point]");
  const [x, y] = ["focus_x", "focus_y"].map((name) => focal.querySelector(`[name="${name}"]`));
  const within = (value) => Math.max(0, Math.min(100, Math.round(value)));

  const place = () => {
    point.style.left = `${x.value}%`;
    point.style.top = `${y.value}%`;
  };
  const set = (left, top) => {
    x.value = within(left);
    y.value = within(top);
    place();
    x.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    set(((event.clientX - box.left) / box.width) * 100, ((event.clientY - box.top) / box.height) * 100);
  };

  point.hidden = false;
  place();
  stage.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    point.focus();
    stage.setPointerCapture(event.pointerId);
    follow(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (stage.hasPointerCapture(event.pointerId)) follow(event);
  });
  point.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const far = event.shiftKey ? 10 : 2;
    set(Number(x.value) + step[0] * far, Number(y.value) + step[1] * far);
  });
  for (const field of [x, y]) field.addEventListener("change", place);
}
