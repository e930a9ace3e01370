// The builder shows at once what was chosen. Without this, its button does.
const form = document.querySelector("[data-builder]");
let turn = 0;

async function build() {
  const mine = ++turn;
  const url = new URL(location.href);
  url.search = new URLSearchParams(new FormData(form));
  // Told so, it leaves the style out that has a nonce for that answer alone.
  const answer = await fetch(url, { headers: { "HX-Request": "true" } });
  const made = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-built]");
  if (mine !== turn || !made) return;
  document.querySelector("[data-built]").replaceWith(made);
  history.replaceState(null, "", url);
}

form.addEventListener("change", build);
form.querySelector("button[type=submit]").remove();
