// The courier's round. It opens without a line (run-worker.js), and what is done is kept on the phone first, each act
// with its own id and time; it leaves when the server has answered for it. The next stop comes up at once.
import { message } from "./messages.js";
import { sharePosition } from "./run_position.js";
import { actOf } from "./run_form.js";
import { nameStops, startNews } from "./run_news.js";
import { all, drop, put } from "./run_store.js";
import { toast } from "./requests.js";
import { device, post } from "./sending.js";

const BATCH = 10;
const RETRY_MS = 10_000;
let page;

const token = () => document.querySelector('meta[name="csrf-token"]').content;
const headers = () => ({ "Content-Type": "application/json", "X-CSRFToken": token() });
const mine = async () => (await all("acts")).filter(({ courier }) => courier === page.dataset.courier);
const stopOf = (id) => page.querySelector(`[data-run-stop="${id}"]`);

function pill(name) {
  return page.querySelector(`template[data-run-pill="${name}"]`).content.cloneNode(true);
}

/** The first stop that waits is open; the rest of the page follows from how many wait. */
function arrange() {
  const waiting = page.querySelectorAll("[data-run-list] > li");
  const behind = page.querySelectorAll("[data-run-behind] > li").length;
  if (waiting.length) waiting[0].querySelector("details").open = true;
  page.querySelector("[data-run-empty]").hidden = waiting.length > 0 || behind === 0;
  page.querySelector("[data-run-behind-title]").hidden = behind === 0;
  page.querySelector("[data-run-done]").textContent = behind;
  page.querySelector("[data-run-bar]").value = behind;
  const sentence = document.querySelector("main .sentence");
  if (sentence && behind !== Number(page.dataset.behind)) sentence.hidden = true;
}

/** Shows an act that is kept here on its stop. */
function show({ stop_id: id, act, occurred_at: at }) {
  const stop = stopOf(id);
  if (!stop) return;
  if (act === "arrived") {
    const here = stop.querySelector("[data-run-here]");
    if (!here) return;
    here.hidden = false;
    here.querySelector("[data-run-since]").textContent =
      new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    stop.querySelector('form[data-act="arrived"] button').disabled = true;
    return;
  }
  const line = stop.querySelector("summary");
  if (line) {
    stop.replaceChildren(...line.childNodes, " ", pill(act));
    page.querySelector("[data-run-behind]").prepend(stop);
  }
  if (!stop.querySelector("[data-kept]")) {
    const kept = Object.assign(document.createElement("span"), { className: "ms-1" });
    kept.dataset.kept = "";
    kept.append(pill("kept"));
    stop.append(kept);
  }
}

/** What became of an act that did not simply go through; it stays until the courier has read it. */
function tell({ client_id: id, text, stop_id: stopId }) {
  const list = page.querySelector("[data-run-told]");
  if (list.querySelector(`[data-told="${id}"]`)) return;
  const row = Object.assign(document.createElement("li"), { className: "notice notice-warn" });
  row.dataset.told = id;
  const words = document.createElement("span");
  words.setAttribute("role", "alert");
  words.textContent = [stopOf(stopId)?.dataset.name, text].filter(Boolean).join(": ");
  const read = Object.assign(document.createElement("button"), {
    type: "button", className: "btn btn-quiet btn-sm", textContent: message("read"),
  });
  read.addEventListener("click", async () => {
    await drop("acts", [id]);
    row.remove();
  });
  row.append(words, read);
  list.append(row);
}

/** Shows what is kept here on the stops, as after every load of the page. */
async function showKept() {
  page.dataset.behind = page.querySelectorAll("[data-run-behind] > li").length;
  for (const act of (await mine()).sort((one, other) => one.occurred_at.localeCompare(other.occurred_at))) {
    if (!act.text) show(act);
  }
  arrange();
}

async function count() {
  const kept = await mine();
  const waiting = kept.filter(({ text }) => !text);
  const notice = page.querySelector("[data-run-waiting]");
  notice.hidden = waiting.length === 0;
  notice.querySelector("[data-run-count]").textContent = waiting.length;
  for (const one of kept.filter(({ text }) => text)) tell(one);
}

/** The page as the server has it now, for its token: that of a page kept for days is of a session long over. */
async function renew() {
  const answer = await fetch(location.pathname).catch(() => undefined);
  if (!answer) return false;
  page.querySelector("[data-run-signed-out]").hidden = !answer.redirected;
  if (answer.redirected || !answer.ok) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = fresh.querySelector('meta[name="csrf-token"]')?.content;
  if (!found || found === token()) return false;
  document.querySelector('meta[name="csrf-token"]').content = found;
  return true;
}

/** Takes the answers: what went through is forgotten, what did not is kept with what the courier is told. */
async function answered(sent, results) {
  const by = new Map(results.map((result) => [result.client_id, result]));
  for (const act of sent) {
    const { status, text } = by.get(act.client_id);
    if (text && status !== "duplicate") await put("acts", { ...act, text, photo_base64: undefined });
    else await drop("acts", [act.client_id]);
    const stop = stopOf(act.stop_id);
    stop?.querySelector("[data-kept]")?.remove();
    if (status === "refused" && stop) page.dataset.stale = "yes";
  }
}

let sending = false;
let onTheWay = false;
let answers = 0;

async function send() {
  if (sending) return;
  sending = true;
  try {
    for (let tries = 0; ;) {
      const sent = (await mine()).filter(({ text }) => !text)
        .sort((one, other) => one.occurred_at.localeCompare(other.occurred_at)).slice(0, BATCH);
      if (!sent.length) break;
      onTheWay = true;
      const acts = sent.map(({ courier, ...act }) => act);
      const body = JSON.stringify({ device_id: device(), acts });
      const answer = await post(page.dataset.actsUrl, body, headers());
      if (answer?.ok) {
        await answered(sent, await answer.json());
        answers += sent.length;
      } else if (answer) {
        // What is refused as a whole would be refused for ever: it stays here and is told, never thrown away.
        for (const act of sent) await put("acts", { ...act, text: `${answer.status}` });
      } else if (tries++ || !await renew()) {
        break;
      }
    }
  } finally {
    sending = onTheWay = false;
  }
  await count();
}

/** Lets the page open without a line; sends what it is made of to the worker that keeps it. */
async function keepPage() {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(page.dataset.worker, { scope: location.pathname });
  const { active } = await navigator.serviceWorker.ready;
  const parts = performance.getEntriesByType("resource").map(({ name }) => name)
    .filter((name) => name.startsWith(`${location.origin}/static/`));
  active.postMessage({ keep: [location.href, ...new Set(parts)] });
}

/** Who signs out leaves no addresses on the phone; what is kept of his own acts waits for him. */
function forgetOnSignOut() {
  document.querySelector('form[action$="/logout"]')?.addEventListener("submit", () => caches.delete("run"));
}

export async function startRun() {
  page = document.querySelector("[data-run]");
  if (!page) return;
  nameStops(page);
  page.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-act]");
    if (!form) return;
    event.preventDefault();
    const act = await actOf(form, Number(page.dataset.offset));
    if (!act) return toast("bad", message("noAmount"));
    await put("acts", { ...act, courier: page.dataset.courier });
    show(act);
    arrange();
    await count();
    send();
  });
  await showKept();
  await count();
  startNews(page, () => (onTheWay ? undefined : answers), showKept);
  forgetOnSignOut();
  window.addEventListener("online", send);
  setInterval(send, RETRY_MS);
  sharePosition(page, headers);
  page.dataset.ready = "yes"; // for whoever waits until the page works without a line
  send();
  await keepPage();
}
