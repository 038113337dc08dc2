// The service worker of the courier's round: the page opens without a line as it was seen last. What is sent is kept
// by the page itself (modules/run.js); this one only answers what is read.
const CACHE = "run";
// Its language and its owner are those of whoever saw it last on this phone.
const KEPT = { ignoreSearch: true, ignoreVary: true };

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

/** Keeps what a page is made of, and forgets what an earlier one was. */
async function keep(addresses) {
  const cache = await caches.open(CACHE);
  const wanted = new Set(addresses);
  const known = (await cache.keys()).map(({ url }) => url);
  for (const url of known.filter((one) => !wanted.has(one))) await cache.delete(url);
  const isBuilt = (url) => new URL(url).pathname.startsWith("/static/");
  const missing = addresses.filter((url) => !(known.includes(url) && isBuilt(url)));
  await Promise.all(missing.map(async (url) => {
    const answer = await fetch(url);
    if (answer.ok && !answer.redirected) await cache.put(url, answer);
  }));
}

self.addEventListener("message", (event) => {
  if (event.data.keep) event.waitUntil(keep(event.data.keep));
});

/** The round as the server has it; without a line as it was seen last. */
async function round(request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.redirected || answer.type === "opaqueredirect") await cache.delete(request, KEPT);
    else if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request, KEPT);
    if (kept) return kept;
    throw error;
  }
}

async function built(request) {
  return await (await caches.open(CACHE)).match(request, { ignoreVary: true }) ?? fetch(request);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname === "/run") event.respondWith(round(request));
  else if (pathname.startsWith("/static/")) event.respondWith(built(request));
});
