// A proof of work for the sign-up form, while it is under attack. Without this, staff look at what was sent.
import "./vendor/altcha.min.js";

const worker = new URL("./vendor/altcha-worker.js", import.meta.url);
globalThis.$altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker(worker));
// What ALTCHA calls some languages; where it lacks one, it speaks English.
const names = { es: "es-419", pt: "pt-br" };
const spoken = document.documentElement.lang;
let language = "en";
if (spoken !== "en") {
  const name = names[spoken] ?? spoken;
  language = await import(`./vendor/altcha-${name}.js`).then(() => name, () => "en");
}

for (const place of document.querySelectorAll("[data-challenge]")) {
  const widget = document.createElement("altcha-widget");
  const settings = {
    auto: "onload",
    challenge: place.dataset.challenge,
    language,
    name: place.dataset.field,
    configuration: JSON.stringify({
      hideLogo: true,
      hideFooter: true,
      minDuration: 0,
      // How somebody moves and types is nobody's business.
      humanInteractionSignature: false,
    }),
  };
  for (const [name, value] of Object.entries(settings)) widget.setAttribute(name, value);
  place.append(widget);
}
