// Where the phone is, while its owner agrees and his round is open: kept here, and sent some at a time.
import { all, drop, put } from "./run_store.js";
import { post } from "./sending.js";

const AGREED = "run-share";
const EVERY_MS = 15_000;
const SEND_MS = 30_000;
const BATCH = 500;

async function send(page, headers) {
  const fixes = (await all("fixes")).slice(0, BATCH);
  if (!fixes.length) return;
  const answer = await post(page.dataset.positionsUrl, JSON.stringify({ positions: fixes }), headers());
  // What is refused as a whole would be refused for ever.
  if (answer) await drop("fixes", fixes.map(({ at }) => at));
}

export function sharePosition(page, headers) {
  if (!navigator.geolocation) return;
  const row = page.querySelector("[data-run-share-row]");
  const agreed = row.querySelector("[data-run-share]");
  row.hidden = false;
  agreed.checked = localStorage.getItem(AGREED) === "yes";
  let watching;
  let last = 0;
  const start = () => {
    watching = navigator.geolocation.watchPosition(({ coords, timestamp }) => {
      if (timestamp - last < EVERY_MS) return;
      last = timestamp;
      put("fixes", {
        at: new Date(timestamp).toISOString(),
        latitude: coords.latitude,
        longitude: coords.longitude,
        accuracy_m: Math.min(Math.round(coords.accuracy), 100_000),
      }).then(() => send(page, headers));
    }, () => {}, { enableHighAccuracy: true, maximumAge: EVERY_MS });
  };
  agreed.addEventListener("change", () => {
    localStorage.setItem(AGREED, agreed.checked ? "yes" : "no");
    if (agreed.checked) start();
    else navigator.geolocation.clearWatch(watching);
  });
  if (agreed.checked) start();
  setInterval(() => send(page, headers), SEND_MS);
}
