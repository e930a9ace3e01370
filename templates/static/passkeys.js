// Talks with the person's device about passkeys (WebAuthn Level 3), for signing in and adding one.
//
// A form with data-passkey="get" or "create" is shown where the browser can do that. When it is sent,
// the question is fetched from data-ask, the device answers it, and the answer goes along in the form.

const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

const named = (list) => (list ?? []).map((each) => ({ ...each, id: toBytes(each.id) }));

function question(options) {
  const asked = { ...options, challenge: toBytes(options.challenge) };
  if (options.user) asked.user = { ...options.user, id: toBytes(options.user.id) };
  if (options.allowCredentials) asked.allowCredentials = named(options.allowCredentials);
  if (options.excludeCredentials) asked.excludeCredentials = named(options.excludeCredentials);
  return asked;
}

function answer(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  const { id, type } = credential;
  return JSON.stringify({ id, type, rawId: toText(credential.rawId), response, clientExtensionResults: {} });
}

async function ask(form) {
  const headers = {};
  const secret = form.elements.csrf_token?.value;
  if (secret) headers["X-CSRF-Token"] = secret;
  const found = await fetch(form.dataset.ask, { method: "POST", headers });
  if (!found.ok) throw new Error(found.statusText);
  const publicKey = question(await found.json());
  return navigator.credentials[form.dataset.passkey]({ publicKey });
}

async function send(event) {
  const form = event.currentTarget;
  if (form.elements.credential.value) return;
  event.preventDefault();
  const said = form.querySelector("[role=alert]");
  said.hidden = true;
  try {
    form.elements.credential.value = answer(await ask(form));
    form.requestSubmit();
  } catch {
    said.textContent = form.dataset.failed;
    said.hidden = false;
  }
}

const isPossible = Boolean(globalThis.PublicKeyCredential && globalThis.isSecureContext);
for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !isPossible;
  form.addEventListener("submit", send);
}
for (const words of document.querySelectorAll("[data-no-passkeys]")) words.hidden = isPossible;
