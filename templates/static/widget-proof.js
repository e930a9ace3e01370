// The proof of work that a sign-up brings along while forms are under attack: ALTCHA's protocol,
// version 2. widget.js loads this only then. The browser's own PBKDF2 does the work, off the page's thread.

const AT_ONCE = 16;

const octets = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (octet) => octet.toString(16).padStart(2, "0")).join("");

async function derive({ nonce, salt, cost, keyLength }, counter) {
  const start = octets(nonce);
  const password = new Uint8Array(start.length + 4);
  password.set(start);
  new DataView(password.buffer).setUint32(start.length, counter);
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const settings = { name: "PBKDF2", hash: "SHA-256", salt: octets(salt), iterations: cost };
  return hex(await crypto.subtle.deriveBits(settings, key, keyLength * 8));
}

/** The field `altcha` of a sign-up. Throws where the browser has no WebCrypto, or knows not the way asked for. */
export async function solve({ parameters, signature }) {
  if (parameters.algorithm !== "PBKDF2/SHA-256") throw new Error(parameters.algorithm);
  for (let from = 0; ; from += AT_ONCE) {
    const counters = Array.from({ length: AT_ONCE }, (_, place) => from + place);
    const keys = await Promise.all(counters.map((counter) => derive(parameters, counter)));
    const place = keys.findIndex((key) => key.startsWith(parameters.keyPrefix));
    if (place < 0) continue;
    const solution = { counter: counters[place], derivedKey: keys[place] };
    return btoa(JSON.stringify({ challenge: { parameters, signature }, solution }));
  }
}
