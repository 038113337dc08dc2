// The round as it is planned now: the phone asks from time to time whether it has changed, and the courier is told what
// was cancelled. What he is in the middle of typing stays under his hands.
import { message } from "./messages.js";
import { startPhotos } from "./photo.js";
import { toast } from "./requests.js";
import { startSignature } from "./signature.js";

const LOOK_MS = 30_000;
const AGAIN_MS = 2_000;
const READ = "run-cancelled-read";
const READ_MAX = 200;
const PARTS = ["[data-run-list]", "[data-run-behind]", "[data-run-cancelled]"];
const OUTLINE = ["[data-run-rests]", "[data-run-all]"];

const addressOf = (row) => row?.querySelector(".run-address")?.textContent ?? "";

/** What people call each stop, for messages about it once it is done. */
export function nameStops(page) {
  for (const stop of page.querySelectorAll("[data-run-stop]")) stop.dataset.name ??= addressOf(stop);
}

function read() {
  return JSON.parse(localStorage.getItem(READ) ?? "[]");
}

/** A notice for each stop that was cancelled, until the courier has read it; gives how many are new. */
function tellCancelled(page) {
  let news = 0;
  const told = page.querySelector("[data-run-told]");
  const list = page.querySelector("[data-run-cancelled]");
  for (const gone of list.children) {
    const id = gone.dataset.runGone;
    if (read().includes(id) || told.querySelector(`[data-told-gone="${id}"]`)) continue;
    const row = Object.assign(document.createElement("li"), { className: "notice notice-bad" });
    row.dataset.toldGone = id;
    const words = document.createElement("span");
    words.setAttribute("role", "alert");
    words.textContent = gone.dataset.told;
    const button = Object.assign(document.createElement("button"), {
      type: "button", className: "btn btn-quiet btn-sm", textContent: message("read"),
    });
    button.addEventListener("click", () => {
      localStorage.setItem(READ, JSON.stringify([...read(), id].slice(-READ_MAX)));
      row.remove();
    });
    row.append(words, button);
    told.append(row);
    news += 1;
  }
  page.querySelector("[data-run-cancelled-title]").hidden = list.children.length === 0;
  return news;
}

/** The row as it is now; the old one with its new time where something is being typed for the same door. */
function rowOf(page, fresh) {
  const old = page.querySelector(`[data-run-list] > [data-run-stop="${fresh.dataset.runStop}"]`);
  const body = fresh.querySelector("details");
  if (!old || !body) return fresh;
  if (old.dataset.touched && addressOf(old) === addressOf(fresh)) {
    old.querySelector("summary").replaceWith(fresh.querySelector("summary"));
    return old;
  }
  body.open = old.querySelector("details").open;
  return fresh;
}

function take(page, fresh) {
  for (const part of PARTS) {
    const rows = [...fresh.querySelectorAll(`${part} > li`)].map((row) => rowOf(page, row));
    const kept = new Set(rows.filter((row) => page.contains(row)));
    page.querySelector(part).replaceChildren(...rows);
    for (const row of rows) {
      if (kept.has(row)) continue;
      for (const form of row.querySelectorAll("form[data-signed]")) startSignature(form);
      startPhotos(row);
    }
  }
  for (const part of OUTLINE) page.querySelector(part).replaceChildren(...fresh.querySelector(part).childNodes);
  page.querySelector("[data-run-bar]").max = fresh.querySelector("[data-run-bar]").max;
  nameStops(page);
}

/** Brings the page up to date; false where it could not find out whether it is. */
async function look(page, answered, changed) {
  const before = answered();
  if (document.hidden) return true; // it is looked again when it is shown
  if (before === undefined) return false;
  const answer = await fetch(page.dataset.versionUrl).catch(() => undefined);
  if (!answer?.ok || answer.redirected) return false;
  const { version } = await answer.json();
  if (version === page.dataset.version) return true;
  const shown = await fetch(location.pathname).catch(() => undefined);
  if (!shown?.ok || shown.redirected) return false;
  const document_ = new DOMParser().parseFromString(await shown.text(), "text/html");
  const fresh = document_.querySelector("[data-run]");
  // Acts that were sent meanwhile may be missing from what came: it is asked for again.
  if (answered() !== before) return false;
  const sentence = document.querySelector("main .sentence");
  const newer = document_.querySelector("main .sentence");
  if (sentence && newer) {
    sentence.textContent = newer.textContent;
    sentence.hidden = false;
  }
  if (fresh) take(page, fresh);
  else page.querySelector("[data-run-list]").replaceChildren(); // nothing is published for him any more
  page.dataset.version = version;
  if (!tellCancelled(page)) toast("info", message("roundChanged"));
  await changed();
  return true;
}

/**
 * Follows the plan: `answered` counts the acts that went through, undefined while some are being sent; `changed` shows
 * those that are kept here on the new rows.
 */
export function startNews(page, answered, changed) {
  page.addEventListener("input", ({ target }) => {
    const row = target.closest("[data-run-stop]");
    if (row) row.dataset.touched = "yes";
  });
  tellCancelled(page);
  const again = async () => {
    if (!await look(page, answered, changed)) setTimeout(() => look(page, answered, changed), AGAIN_MS);
  };
  setInterval(again, LOOK_MS);
  document.addEventListener("visibilitychange", again);
  window.addEventListener("online", again);
}
