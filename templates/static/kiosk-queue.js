// What was typed, sealed at once, kept on the tablet until the service has it, then forgotten.
// Nothing that can be read is ever stored: see subscribers/sealing.py, which opens what this seals.

const AT_ONCE = 20;
const encoder = new TextEncoder();

const toText = (octets) => {
  const raw = String.fromCharCode(...new Uint8Array(octets));
  return btoa(raw).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};
const toOctets = (text) => {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (character) => character.charCodeAt(0));
};
const randomNumber = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");

// Seals a value for the service's public key: a fresh key pair, ECDH, HKDF, AES-GCM.
export async function seal(value, { key, info }) {
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const service = await crypto.subtle.importKey("raw", toOctets(key), curve, false, []);
  const pair = await crypto.subtle.generateKey(curve, false, ["deriveBits"]);
  const point = await crypto.subtle.exportKey("raw", pair.publicKey);
  const agreed = await crypto.subtle.deriveBits({ name: "ECDH", public: service }, pair.privateKey, 256);
  const stretched = await crypto.subtle.importKey("raw", agreed, "HKDF", false, ["deriveKey"]);
  const own = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: point, info: encoder.encode(info) },
    stretched,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt"],
  );
  const number = randomNumber();
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const text = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: encoder.encode(number) },
    own,
    encoder.encode(JSON.stringify(value)),
  );
  return { number, key: toText(point), nonce: toText(nonce), text: toText(text) };
}

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function open() {
  const asked = indexedDB.open("handbill-kiosk", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore("entries", { keyPath: "number" });
  return settled(asked);
}

// Entries of one tablet; `sendTo` is where they go.
export class Queue {
  #sendTo;
  #isSending = false;
  #unreadable = new Set();
  refused = 0;

  constructor(sendTo) {
    this.#sendTo = sendTo;
  }

  async #store(mode, act) {
    const database = await open();
    try {
      const transaction = database.transaction("entries", mode);
      const done = new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = transaction.onerror = () => reject(transaction.error);
      });
      const result = await act(transaction.objectStore("entries"));
      await done;
      return result;
    } finally {
      database.close();
    }
  }

  // Resolves when the entry is safely on the tablet.
  async add(sealed) {
    const to = this.#sendTo;
    await this.#store("readwrite", (store) => settled(store.put({ ...sealed, to })));
  }

  count() {
    return this.#store("readonly", (store) => settled(store.count()));
  }

  // Sends what waits, in batches; what got no answer stays and is sent again.
  async send() {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (;;) {
        const all = await this.#store("readonly", (store) => settled(store.getAll()));
        const fresh = all.filter(({ number }) => !this.#unreadable.has(number));
        if (!fresh.length) return;
        const { to } = fresh[0];
        const batch = fresh.filter((each) => each.to === to).slice(0, AT_ONCE);
        if (!(await this.#sent(to, batch))) return;
      }
    } finally {
      this.#isSending = false;
    }
  }

  async #sent(to, batch) {
    let answer;
    try {
      const entries = batch.map(({ number, key, nonce, text }) => ({ number, key, nonce, text }));
      answer = await fetch(to, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ entries }),
        cache: "no-store",
        credentials: "omit",
      });
    } catch {
      return false;
    }
    if (!answer.ok) return false;
    const { taken, refused, unreadable } = await answer.json();
    for (const number of unreadable) this.#unreadable.add(number);
    this.refused += refused.length;
    await this.#store("readwrite", (store) =>
      Promise.all([...taken, ...refused].map((number) => settled(store.delete(number)))),
    );
    return true;
  }
}
