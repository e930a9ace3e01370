// <handbill-signup partner="KEY">: the coalition's sign-up form, in any web page.
// It sets no cookie, loads nothing from anybody else, and changes nothing outside itself. Until the
// form is there, and wherever it can't be, what stands inside the element is shown: a link or a form.

const HOME = new URL("./", import.meta.url);
const CARRIED = ["source", "ref", "utm_source", "utm_medium", "utm_campaign"];

const SHEET = `
:host { display: block }
:host([hidden]) { display: none }
.root {
  all: initial; display: block; box-sizing: border-box; color-scheme: inherit;
  --ink: #1f1b17; --soft: #5c544b; --paper: #fffdf9; --raised: #fff; --edge: #8a7f72; --bad: #a3161f; --ring: #1d4f91;
  --paint: var(--light); --on: var(--on-light);
  padding: var(--handbill-padding, 1.25em); border: var(--handbill-border, 1px solid var(--edge));
  border-radius: var(--handbill-radius, 3px);
  background: var(--handbill-paper, var(--paper)); color: var(--handbill-ink, var(--ink));
  font: 400 var(--handbill-size, max(16px, 1rem)) / 1.5 var(--handbill-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  overflow-wrap: break-word; text-align: start;
}
:host([theme="light"]) .root { color-scheme: light }
:host([theme="dark"]) .root {
  color-scheme: dark;
  --ink: #f1ebe3; --soft: #b9aea1; --paper: #171412; --raised: #211d1a; --edge: #94897c; --bad: #ff9c9c; --ring: #9cc4ff;
  --paint: var(--dark); --on: var(--on-dark);
}
@supports (color: light-dark(#000, #fff)) {
  :host .root {
    --ink: light-dark(#1f1b17, #f1ebe3); --soft: light-dark(#5c544b, #b9aea1); --paper: light-dark(#fffdf9, #171412);
    --raised: light-dark(#fff, #211d1a); --edge: light-dark(#8a7f72, #94897c); --bad: light-dark(#a3161f, #ff9c9c);
    --ring: light-dark(#1d4f91, #9cc4ff);
    --paint: light-dark(var(--light), var(--dark)); --on: light-dark(var(--on-light), var(--on-dark));
  }
}
.root * { box-sizing: border-box }
h1, h2, h3, h4, h5, h6, p, fieldset { margin: 0; padding: 0; border: 0; min-inline-size: 0 }
h1, h2, h3, h4, h5, h6 { font: 700 1.35em / 1.25 var(--handbill-title-font, Georgia, "Noto Serif", serif); text-wrap: balance }
form, [part="thanks"], [part="field"] { display: grid; gap: 1em; grid-template-columns: minmax(0, 1fr) }
[part="thanks"]:focus, [part="alert"]:focus { outline: none }
[part="fields"] { display: grid; gap: 1em; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15em), 1fr)); align-items: end }
[part="field"] { gap: 0.35em }
[part="field"]:first-child { grid-column: 1 / -1 }
label, legend { padding: 0; font-weight: 600 }
[part="hint"], [part="privacy"], [part="required"] { color: var(--handbill-soft, var(--soft)); font-size: 0.9em; font-weight: 400 }
[part="consent"], [part="privacy"] { max-inline-size: 40em }
[part="input"] {
  inline-size: 100%; min-block-size: 2.75em; padding: 0.5em 0.7em; border: 1.5px solid var(--edge);
  border-radius: var(--handbill-radius, 3px); background: var(--raised); color: inherit; font: inherit;
}
[part="input"][aria-invalid="true"] { border: 2px solid var(--bad) }
[part="error"], [part="alert"] { color: var(--bad); font-weight: 600 }
[part="error"]:empty, [part="alert"]:empty, [part="status"]:empty { display: none }
[part="choice"] { display: flex; gap: 0.7em; padding-block: 0.5em; align-items: start }
[part="choice"] [part="hint"] { display: block }
[part="choice"] label { flex: 1; min-inline-size: 0; overflow-wrap: anywhere; font-weight: 500 }
[part="box"] { inline-size: 1.35em; block-size: 1.35em; margin: 0.1em 0 0; flex: none; accent-color: var(--handbill-accent, var(--paint)) }
[part="button"], [part="suggestion"] {
  justify-self: start; min-block-size: 2.75em; padding: 0.5em 1.2em; cursor: pointer; font: inherit; font-weight: 600; line-height: 1.2;
  border: 1.5px solid var(--handbill-accent, var(--paint)); border-radius: var(--handbill-radius, 3px);
  background: var(--handbill-accent, var(--paint)); color: var(--handbill-on-accent, var(--on)); max-inline-size: 100%; overflow-wrap: anywhere;
}
[part="suggestion"] { margin-block-start: 0.35em; border-color: var(--edge); background: none; color: inherit }
[part="button"][aria-disabled="true"] { opacity: 0.6; cursor: progress }
[part="link"] { color: var(--handbill-accent, var(--paint)) }
[part="alert"] [part="link"] { color: inherit }
:focus-visible { outline: 3px solid var(--ring); outline-offset: 2px }
.trap { position: absolute; inset-inline-start: -200vw }
@media (forced-colors: active) { [part="button"] { border: 2px solid } }
`;

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child));
  return element;
}

class HandbillSignup extends HTMLElement {
  static observedAttributes = ["partner", "form", "lang", "accent", "heading"];

  #told = null; // what the form says, as the server describes it
  #root = null;
  #look = null;
  #turn = 0;
  #isPlanned = false;
  #isSending = false;
  #mistyped = "";
  #proof = null;
  #steps = new Set();

  connectedCallback() { this.#plan(); }
  attributeChangedCallback() { this.#plan(); }

  #plan() {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    queueMicrotask(() => {
      this.#isPlanned = false;
      if (this.isConnected) this.#load();
    });
  }

  // ---- where it stands

  get #partner() { return this.getAttribute("partner") ?? ""; }
  get #isFramed() { return this.hasAttribute("framed"); }
  get #isPreview() { return this.hasAttribute("preview"); }

  /** The page that the reader sees; around a frame that is another one, if its address is told. */
  get #page() {
    try {
      return new URL(this.#isFramed ? document.referrer : location.href);
    } catch {
      return null;
    }
  }

  get #wishes() {
    const named = this.getAttribute("lang") || (this.#isFramed && new URLSearchParams(location.search).get("lang"));
    if (named) return named;
    const around = this.parentElement?.closest("[lang]")?.lang;
    return [around, ...(navigator.languages ?? [])].filter(Boolean).slice(0, 8).join(",");
  }

  /** A value of the page's address; of the page around a frame only what says where people came from. */
  #said(name) {
    const own = new URLSearchParams(location.search).get(name);
    return own ?? (CARRIED.includes(name) ? this.#page?.searchParams.get(name) : null) ?? "";
  }

  #address(path, values) {
    const url = new URL(path, HOME);
    for (const [name, value] of Object.entries(values)) if (value) url.searchParams.set(name, value);
    return url;
  }

  // ---- what it shows

  async #load() {
    const turn = ++this.#turn;
    const form = this.getAttribute("form") ?? "";
    const path = `api/public/forms${form ? `/${encodeURIComponent(form)}` : ""}`;
    const asked = { partner: this.#partner, lang: this.#wishes, preview: this.#isPreview ? "1" : "" };
    let told = null;
    let isThere = false;
    try {
      const answer = await fetch(this.#address(path, asked), { credentials: "omit" });
      told = await answer.json();
      isThere = answer.ok;
    } catch { /* no network, or nothing that we wrote: the same as being refused */ }
    if (turn !== this.#turn || !this.isConnected) return;
    if (isThere) this.#show(told);
    else this.#refuse(form, told?.detail);
  }

  #open() {
    if (this.#root) return;
    const shadow = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(SHEET);
    this.#look = new CSSStyleSheet();
    shadow.adoptedStyleSheets = [sheet, this.#look];
    this.#root = make("div", { class: "root", part: "root" });
    shadow.append(this.#root);
  }

  /** Where the form can't be: what stands in the element stays, else there is a link. */
  #refuse(form, words) {
    if (this.#told || this.childElementCount) return;
    this.#open();
    const href = this.#address(`subscribe${form ? `/${encodeURIComponent(form)}` : ""}`, { partner: this.#partner });
    this.#root.replaceChildren(make("a", { part: "link", href }, words ?? HOME.host));
    this.#look.replaceSync(".root { --light: currentColor; --dark: currentColor }");
  }

  #show(told) {
    const before = this.#typed();
    this.#told = told;
    this.#open();
    this.#paint(told.paint);
    this.#root.lang = told.lang;
    this.#root.dir = told.dir;
    this.#root.replaceChildren(this.#form(told, before));
    if (before.focus) this.#root.querySelector(`[name="${before.focus}"]`)?.focus();
    if (!this.#steps.has("seen")) this.#watch();
    if (told.challenge && !this.#isPreview) this.#prove();
  }

  #paint(paint) {
    const accent = this.getAttribute("accent") || (this.#isFramed && this.#said("accent"));
    let colours = `--light: ${paint.light}; --on-light: ${paint.on_light}; --dark: ${paint.dark}; --on-dark: ${paint.on_dark}`;
    if (accent && CSS.supports("color", accent)) {
      const canShift = CSS.supports("color", "oklch(from red l c h)");
      const light = canShift ? `oklch(from ${accent} min(l, 0.5) c h)` : accent;
      const dark = canShift ? `oklch(from ${accent} max(l, 0.72) min(c, 0.11) h)` : accent;
      colours = `--light: ${light}; --on-light: #fff; --dark: ${dark}; --on-dark: ${canShift ? "#1b0f0a" : "#fff"}`;
    }
    this.#look.replaceSync(`.root { ${colours} }`);
  }

  /** What the reader typed already, here or in the form that stood in the element before. */
  #typed() {
    const form = this.#root?.querySelector("form") ?? this.querySelector("form");
    const data = form ? new FormData(form) : new FormData();
    const active = this.#root?.getRootNode().activeElement ?? document.activeElement;
    const isInside = active && (this.contains(active) || this.#root?.contains(active));
    return { data, topics: form && data.getAll("topic"), focus: isInside ? active.name : "" };
  }

  #form(told, before) {
    const level = Math.min(6, Math.max(1, Number(this.getAttribute("heading-level")) || 2));
    const isBare = this.getAttribute("heading") === "none";
    const form = make(
      "form",
      { part: "form", novalidate: true, "aria-label": isBare && told.title, "aria-labelledby": !isBare && "title" },
      !isBare && make(`h${level}`, { part: "title", id: "title" }, told.title),
      told.lead && make("p", { part: "lead" }, told.lead),
      make("p", { part: "alert", role: "alert", tabindex: "-1" }),
      make("div", { part: "fields" }, ...told.fields.map((field) => this.#field(field, before))),
      ...this.#topics(told, before),
      ...this.#languages(told, before),
      ...this.#organisations(told, before),
      make("div", { class: "trap", "aria-hidden": "true" },
        make("label", { for: told.honeypot }, told.says.trap),
        make("input", { id: told.honeypot, name: told.honeypot, tabindex: "-1", autocomplete: "off" })),
      make("p", { part: "consent" }, told.consent.text),
      make("button", { part: "button", type: "submit" }, told.button),
      make("p", { part: "status", role: "status" }),
      make("p", { part: "privacy" }, told.privacy),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    form.addEventListener("input", () => this.#step("started"), { once: true });
    return form;
  }

  #field({ name, label, type, autocomplete, is_required: isRequired, hint }, before) {
    const { says } = this.#told;
    const input = make("input", {
      part: "input", id: name, name, type, autocomplete, required: isRequired,
      "aria-describedby": `${hint ? `${name}-hint ` : ""}${name}-error`,
    });
    input.value = before.data.get(name) || this.#said(name);
    return make("div", { part: "field" },
      make("label", { part: "label", for: name }, label,
        isRequired && make("span", { part: "required" }, ` (${says.required})`)),
      hint && make("p", { part: "hint", id: `${name}-hint` }, hint),
      make("p", { part: "error", id: `${name}-error` }),
      input);
  }

  #topics({ topics, says }, before) {
    if (topics.length < 2) return topics.map(({ slug }) => make("input", { type: "hidden", name: "topic", value: slug }));
    const asked = new URLSearchParams(location.search).getAll("topic");
    const known = asked.filter((each) => topics.some(({ slug }) => slug === each));
    const ticked = before.topics ?? (known.length ? known : [topics[0].slug]);
    return [
      make("fieldset", { part: "topics", "aria-describedby": "topic-error" },
        make("legend", { part: "legend" }, says.legend),
        make("p", { part: "error", id: "topic-error" }),
        ...topics.map(({ slug, name, description }, place) =>
          this.#box(`topic-${place}`, "topic", slug, name, ticked.includes(slug), description))),
      make("input", { type: "hidden", name: "choice", value: "1" }),
    ];
  }

  #languages({ languages, says }, before) {
    if (!languages?.length) return [];
    const ticked = before.data.getAll("further_languages");
    return [make("fieldset", { part: "languages" },
      make("legend", { part: "legend" }, says.reads),
      ...languages.map(({ slug, name }, place) =>
        this.#box(`reads-${place}`, "further_languages", slug, name, ticked.includes(slug), "", slug)))];
  }

  /** Who else may have the address: each by itself, none ticked before. */
  #organisations({ organisations, says }, before) {
    if (!organisations?.length) return [];
    const ticked = before.data.getAll("share");
    return [make("fieldset", { part: "organisations" },
      make("legend", { part: "legend" }, says.share),
      ...organisations.map(({ key, words }, place) => this.#box(`share-${place}`, "share", key, words, ticked.includes(key))))];
  }

  #box(id, name, value, words, isTicked, hint, lang) {
    return make("div", { part: "choice" },
      make("input", {
        part: "box", type: "checkbox", id, name, value, checked: isTicked, "aria-describedby": hint ? `${id}-hint` : undefined,
      }),
      make("label", { part: "label", for: id, lang }, words, hint && make("span", { part: "hint", id: `${id}-hint` }, ` ${hint}`)));
  }

  // ---- what it sends

  async #send(more = {}) {
    if (this.#isSending) return;
    if (this.#isPreview) {
      this.#thank("");
      return;
    }
    this.#wait(this.#told.says.sending);
    try {
      await this.#exchange(more);
    } catch {
      this.#tell({}, true);
    } finally {
      this.#wait("");
    }
  }

  async #exchange(more) {
    const proof = this.#proof ? await this.#proof : {};
    this.#proof = null;
    const answer = await fetch(new URL("api/public/signups", HOME), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      credentials: "omit",
      body: JSON.stringify({ ...this.#body(), ...proof, ...more }),
    });
    const said = await answer.json();
    if (answer.status === 202) {
      this.#thank(said.message);
    } else if (answer.status === 428 && !more.altcha && !more.challenged) {
      this.#wait(this.#told.says.working);
      await this.#exchange(await this.#solve(said.challenge));
    } else {
      this.#tell(said, answer.status !== 422);
    }
  }

  #body() {
    const told = this.#told;
    const page = this.#page;
    const data = new FormData(this.#root.querySelector("form"));
    const body = { form: told.form, partner: this.#partner, lang: told.lang };
    // The page without its query, which may hold what is nobody's business.
    if (page) Object.assign(body, { referrer: page.origin + page.pathname, page: page.pathname });
    for (const name of CARRIED) body[name] = this.#said(name);
    if (this.getAttribute("source")) body.source = this.getAttribute("source");
    for (const name of new Set(data.keys())) body[name] = data.getAll(name);
    if (this.#mistyped && this.#mistyped === data.get("email")) body.sure = this.#mistyped;
    return body;
  }

  #wait(words) {
    this.#isSending = Boolean(words);
    const button = this.#root.querySelector("[part=button]");
    if (!button) return;
    button.setAttribute("aria-disabled", String(this.#isSending));
    this.#root.querySelector("[part=status]").textContent = words;
  }

  #tell(said, isLinked) {
    const { says, link } = this.#told;
    for (const place of this.#root.querySelectorAll("[part=error]")) place.textContent = "";
    for (const input of this.#root.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    this.#root.querySelector("[part=suggestion]")?.remove();
    let first = null;
    for (const { field, detail } of said.errors ?? []) {
      const place = this.#root.querySelector(`[id="${field}-error"]`);
      if (!place) continue;
      place.textContent = detail;
      const input = this.#root.querySelector(`[name="${field}"]`);
      input.setAttribute("aria-invalid", "true");
      first ??= input;
    }
    const alert = this.#root.querySelector("[part=alert]");
    alert.replaceChildren(first ? says.mend : said.detail ?? says.failed);
    if (isLinked) alert.append(" ", make("a", { part: "link", href: link, target: this.#isFramed && "_top" }, new URL(link).host));
    if (said.suggestion) this.#suggest(said.suggestion);
    (first ?? alert).focus();
  }

  #suggest(address) {
    const input = this.#root.querySelector("[name=email]");
    this.#mistyped = input.value;
    const button = make("button", { part: "suggestion", type: "button" }, this.#told.says.use.replace("%(address)s", address));
    button.addEventListener("click", () => {
      input.value = address;
      this.#send();
    });
    input.after(button);
  }

  #thank(message) {
    const { says, thanks, thanks_url: url } = this.#told;
    this.dispatchEvent(new CustomEvent("handbill-sent", { bubbles: true, composed: true }));
    if (url && !this.#isPreview) {
      open(url, this.#isFramed ? "_top" : "_self");
      return;
    }
    const level = Math.min(6, Math.max(1, Number(this.getAttribute("heading-level")) || 2));
    const words = make("div", { part: "thanks", role: "status", tabindex: "-1" },
      make(`h${level}`, { part: "title" }, says.thanks),
      thanks && make("p", { part: "lead" }, thanks),
      message && make("p", { part: "next" }, message));
    this.#root.replaceChildren(words);
    words.focus();
  }

  // ---- a proof of work, while forms are under attack

  #prove() {
    this.#proof ??= fetch(new URL("api/public/challenge", HOME), { credentials: "omit" })
      .then((answer) => answer.json())
      .then(({ challenge }) => (challenge ? this.#solve(challenge) : {}))
      .catch(() => ({}));
  }

  async #solve(challenge) {
    try {
      const { solve } = await import(new URL("widget-proof.js", HOME));
      return { altcha: await solve(challenge) };
    } catch {
      // A person of the office looks at what comes without a proof; nothing is lost.
      return { challenged: "1" };
    }
  }

  // ---- steps that are counted without knowing anybody

  #watch() {
    const watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      this.#step("seen");
    }, { threshold: 0.25 });
    watcher.observe(this);
  }

  #step(step) {
    if (this.#isPreview || this.#steps.has(step)) return;
    this.#steps.add(step);
    const body = { form: this.#told.form, partner: this.#partner || null, step, page: this.#page?.pathname ?? "", lang: this.#told.lang };
    fetch(new URL("api/public/steps", HOME), {
      method: "POST", mode: "no-cors", credentials: "omit", keepalive: true, body: JSON.stringify(body),
    }).catch(() => {});
  }
}

if ("adoptedStyleSheets" in Document.prototype && window.customElements && !customElements.get("handbill-signup")) {
  customElements.define("handbill-signup", HandbillSignup);

  // Frames with our form say how tall it is.
  addEventListener("message", ({ origin, data, source }) => {
    if (origin !== HOME.origin || !(data?.handbillHeight > 0)) return;
    for (const frame of document.querySelectorAll("iframe")) {
      if (frame.contentWindow === source) frame.style.height = `${Math.min(data.handbillHeight, 5000)}px`;
    }
  });
  for (const frame of document.querySelectorAll("iframe")) {
    if (frame.src.startsWith(`${HOME.origin}/widget`)) frame.contentWindow?.postMessage("handbillHeight?", "*");
  }
}
