// The scan station: every scan gets its id and its time in the browser, so that a repeated sending is not a second
// scan. When the server is not reached, scans are kept in this browser and sent in their order once it is back.
import { toast } from "./requests.js";

const QUEUE = "scan-queue";
const DEVICE = "scan-device";
const BATCH = 200;
const RETRY_MS = 10_000;
const SENT = ["number", "code", "client_scan_id", "device", "reason", "received_by", "signature", "handed_code"];

function kept() {
  return JSON.parse(localStorage.getItem(QUEUE) ?? "[]");
}

function keep(scans) {
  localStorage.setItem(QUEUE, JSON.stringify(scans));
  const waiting = document.querySelector("[data-scan-waiting]");
  if (!waiting) return;
  waiting.hidden = scans.length === 0;
  waiting.querySelector("[data-scan-count]").textContent = scans.length;
}

function device() {
  const known = localStorage.getItem(DEVICE) ?? crypto.randomUUID();
  localStorage.setItem(DEVICE, known);
  return known;
}

/** What the form holds at this moment, as the door for kept scans takes it. */
function scanOf(form) {
  const data = new FormData(form);
  const scan = Object.fromEntries(SENT.filter((name) => data.get(name)).map((name) => [name, data.get(name)]));
  scan.occurred_at = data.get("occurred_at");
  scan.offset_minutes = Number(data.get("offset_minutes"));
  if (data.get("facility_id")) scan.facility_id = Number(data.get("facility_id"));
  return scan;
}

async function sendKept(form) {
  const scans = kept();
  if (!scans.length) return;
  const batch = scans.slice(0, BATCH);
  let answer;
  try {
    answer = await fetch(form.dataset.queueUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrf_token.value },
      body: JSON.stringify(batch),
    });
  } catch {
    return; // still no line
  }
  // What the server refuses as a whole would be refused for ever; it stays, and somebody sees the count.
  if (!answer.ok) return;
  for (const { number, text } of (await answer.json()).filter(({ status }) => status === "rejected")) {
    toast("bad", `${number}: ${text}`);
  }
  const sent = new Set(batch.map((scan) => scan.client_scan_id));
  keep(kept().filter((scan) => !sent.has(scan.client_scan_id)));
  await sendKept(form);
}

function showKept() {
  const kept = document.getElementById("scan-kept").content.cloneNode(true);
  document.querySelector("#scan-result .scan-answer").replaceWith(kept);
}

/** Lets a finger or mouse draw on the canvas of a form; the picture goes into its field `signature`. */
export function startSignature(form) {
  const canvas = form.querySelector("[data-signature]");
  if (!canvas) return;
  canvas.style.touchAction = "none"; // a finger draws and does not scroll
  const pen = canvas.getContext("2d");
  Object.assign(pen, { lineWidth: 3, lineCap: "round", lineJoin: "round" });
  const at = ({ offsetX, offsetY }) =>
    [offsetX * canvas.width / canvas.clientWidth, offsetY * canvas.height / canvas.clientHeight];
  const clear = () => {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    form.elements.signature.value = "";
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    pen.lineTo(...at(event));
    pen.stroke();
  });
  canvas.addEventListener("pointerup", () => { form.elements.signature.value = canvas.toDataURL("image/png"); });
  form.querySelector("[data-signature-clear]").addEventListener("click", clear);
  form.addEventListener("scan:done", clear);
}

export function startScanStation() {
  const form = document.querySelector("[data-scan-station]");
  if (!form) return;
  let last;
  // Who received one parcel did not therefore receive the next.
  form.addEventListener("scan:done", () => {
    for (const name of ["received_by", "handed_code"]) {
      if (form.elements[name]) form.elements[name].value = "";
    }
  });
  // In the capture phase, so that the values are there when htmx reads the form.
  form.addEventListener("submit", () => {
    form.elements.client_scan_id.value = crypto.randomUUID();
    form.elements.device.value = device();
    form.elements.occurred_at.value = new Date().toISOString();
    form.elements.offset_minutes.value = -new Date().getTimezoneOffset();
    last = scanOf(form);
  }, { capture: true });
  form.addEventListener("htmx:error", (event) => {
    if (!last) return;
    event.stopPropagation();
    keep([...kept(), last]);
    last = undefined;
    showKept();
    form.elements.number.value = "";
    form.elements.number.focus();
    form.dispatchEvent(new CustomEvent("scan:done"));
  });
  document.addEventListener("htmx:after:settle", () => {
    last = undefined;
    form.dispatchEvent(new CustomEvent("scan:done"));
    sendKept(form);
  });
  startSignature(form);
  window.addEventListener("online", () => sendKept(form));
  setInterval(() => sendKept(form), RETRY_MS);
  keep(kept());
  sendKept(form);
}
