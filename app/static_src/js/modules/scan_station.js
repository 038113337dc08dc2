// The scan station. Every scan gets its id and its time in the browser and is kept in this browser first; it leaves
// when the server has answered for it. So a fast scanner on a slow line loses nothing, nor does a line that is down,
// and what is sent again is not a second scan. Each kept scan knows the door that it is for: what was scanned into
// one bag is sent even when the page of another is open.
import htmx from "htmx.org/dist/htmx.esm.js";
import { toast } from "./requests.js";
import { answered } from "./scan.js";
import { device, post } from "./sending.js";
import { startSignature } from "./signature.js";

const QUEUE = "scan-queue";
const BATCH = 200;
// So few are answered one by one, each with its sound: a fast scanner, not a line that was down.
const FEW = 5;
const RETRY_MS = 10_000;
const OWN = ["csrf_token", "facility_id", "offset_minutes"];

function kept() {
  return JSON.parse(localStorage.getItem(QUEUE) ?? "[]");
}

function keep(entries) {
  localStorage.setItem(QUEUE, JSON.stringify(entries));
  const waiting = document.querySelector("[data-scan-waiting]");
  if (!waiting) return;
  waiting.hidden = entries.length === 0;
  waiting.querySelector("[data-scan-count]").textContent = entries.length;
}

function forget(entries) {
  const gone = new Set(entries.map(({ scan }) => scan.client_scan_id));
  keep(kept().filter(({ scan }) => !gone.has(scan.client_scan_id)));
}

/** What the form holds at this moment, as the door for kept scans takes it. */
function scanOf(form) {
  const data = new FormData(form);
  const filled = [...data].filter(([name, value]) => value && !OWN.includes(name));
  const scan = {
    ...Object.fromEntries(filled),
    client_scan_id: crypto.randomUUID(),
    device: device(),
    occurred_at: new Date().toISOString(),
    offset_minutes: -new Date().getTimezoneOffset(),
  };
  if (data.get("facility_id")) scan.facility_id = Number(data.get("facility_id"));
  return scan;
}

function show(template) {
  const answer = document.querySelector("#scan-result .scan-answer");
  if (!answer) return;
  answer.replaceWith(document.getElementById(template).content.cloneNode(true));
  answered();
}

/** One scan of this page: its answer is shown in full. */
async function sendOne(form, entry) {
  const headers = { "HX-Request-Type": "partial", "X-CSRFToken": form.elements.csrf_token.value };
  const answer = await post(form.getAttribute("action"), new URLSearchParams(entry.scan), headers);
  if (!answer) return false;
  const text = await answer.text();
  forget([entry]);
  if (!answer.ok) {
    toast("bad", `${entry.scan.number}: ${answer.status}`);
    return true;
  }
  fill(text);
  return true;
}

/** Puts the server's answer into its place. */
function fill(html) {
  const result = document.getElementById("scan-result");
  result.innerHTML = html;
  htmx.process(result);
  document.dispatchEvent(new CustomEvent("htmx:after:settle"));
}

/** The lists below the answer as they are now. */
async function refresh() {
  const page = await fetch(location.href).then((answer) => answer.text(), () => "");
  const fresh = new DOMParser().parseFromString(page, "text/html").getElementById("scan-result");
  if (fresh) fill(fresh.innerHTML);
}

/** Scans that have waited: what became of them is told in short. */
async function sendSome(form, entries) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrf_token.value };
  const answer = await post(entries[0].url, JSON.stringify(entries.map(({ scan }) => scan)), headers);
  if (!answer) return false;
  if (!answer.ok) {
    // What is refused as a whole would be refused for ever, and hold up what comes after it.
    for (const { scan } of entries) toast("bad", `${scan.number}: ${answer.status}`);
    forget(entries);
    return true;
  }
  const results = await answer.json();
  forget(entries);
  if (entries[0].url === form.dataset.queueUrl) await refresh();
  show("scan-sent");
  for (const { number, text } of results.filter(({ status }) => status === "rejected")) {
    toast("bad", `${number}: ${text}`);
  }
  return true;
}

let sending = false;

async function send(form) {
  if (sending) return;
  sending = true;
  try {
    for (let entries = kept(); entries.length; entries = kept()) {
      const [{ url }] = entries;
      const alike = entries.slice(0, BATCH).filter((entry) => entry.url === url);
      const alone = alike.length <= FEW && url === form.dataset.queueUrl;
      if (!await (alone ? sendOne(form, alike[0]) : sendSome(form, alike))) {
        show("scan-kept");
        return;
      }
    }
  } finally {
    sending = false;
  }
}

export function startScanStation() {
  const form = document.querySelector("[data-scan-station]");
  if (!form) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep([...kept(), { url: form.dataset.queueUrl, scan: scanOf(form) }]);
    form.elements.number.value = "";
    form.dispatchEvent(new CustomEvent("scan:done"));
    send(form);
  });
  // Who received one parcel did not therefore receive the next.
  form.addEventListener("scan:done", () => {
    for (const name of ["received_by", "handed_code"]) {
      if (form.elements[name]) form.elements[name].value = "";
    }
  });
  startSignature(form);
  window.addEventListener("online", () => send(form));
  setInterval(() => send(form), RETRY_MS);
  keep(kept());
  send(form);
}
