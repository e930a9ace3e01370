// Keeps the kiosk's page on the tablet, so that it opens without a network. Knows nothing of people.
const KEPT = "kiosk";

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("message", (event) => {
  const { page, parts } = event.data;
  event.waitUntil(keep(page, parts).then(() => event.ports[0].postMessage("kept")));
});

// The page as it is now with its parts; parts that no page uses any more go.
async function keep(page, parts) {
  const cache = await caches.open(KEPT);
  await cache.add(new Request(page, { cache: "reload" }));
  for (const part of parts) {
    if (!(await cache.match(part))) await cache.add(part);
  }
  for (const { url } of await cache.keys()) {
    if (new URL(url).pathname.startsWith("/static/") && !parts.includes(url)) await cache.delete(url);
  }
}

async function page(request) {
  try {
    return await fetch(request);
  } catch (problem) {
    const cache = await caches.open(KEPT);
    const kept = await cache.match(request, { ignoreVary: true });
    if (kept) return kept;
    throw problem;
  }
}

async function part(request) {
  const cache = await caches.open(KEPT);
  return (await cache.match(request, { ignoreVary: true })) ?? fetch(request);
}

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  event.respondWith(request.mode === "navigate" ? page(request) : part(request));
});
