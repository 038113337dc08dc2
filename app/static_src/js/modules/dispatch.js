// The dispatcher's board: a stop opens in a dialog, and may be dragged to another courier, whose extra cost is
// shown before it is dropped. Everything here can also be done with links and forms.
import htmx from "htmx.org/dist/htmx.esm.js";
import { startPhotos } from "./photo.js";
import { startSignature } from "./signature.js";
import { toast } from "./requests.js";
import { message } from "./messages.js";

const dialog = () => document.getElementById("stop-dialog");

async function openStop(link) {
  await htmx.ajax("GET", link.href, { target: "#stop-panel", swap: "innerHTML" });
  if (!dialog().open) dialog().showModal();
}

function startOpening(board) {
  board.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-stop]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openStop(link);
  });
}

/** Writes each courier's extra cost on his column; a column that cannot take the stop says so. */
function showCosts(board, costs, from) {
  for (const column of board.querySelectorAll("[data-courier]")) {
    const place = costs[column.dataset.courier];
    const own = column.dataset.courier === from;
    column.classList.toggle("is-possible", Boolean(place));
    column.classList.toggle("is-impossible", !place && !own);
    column.querySelector("[data-cost]").textContent = place ? place.cost : own ? "" : board.dataset.impossible;
  }
}

function hideCosts(board) {
  for (const column of board.querySelectorAll("[data-courier]")) {
    column.classList.remove("is-possible", "is-impossible", "is-over");
    column.querySelector("[data-cost]").textContent = "";
  }
}

function startDragging(board) {
  const form = document.getElementById("move-form");
  if (!form) return;
  let dragged;
  board.addEventListener("dragstart", async (event) => {
    const link = event.target.closest?.("a[data-stop]");
    if (!link) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", link.href);
    const mine = { link, from: link.closest("[data-courier]")?.dataset.courier, costs: {} };
    dragged = mine;
    const answer = await fetch(`${link.href}/costs`);
    if (dragged !== mine) return;
    if (!answer.ok) return toast("bad", message("offline"));
    mine.costs = await answer.json();
    if (dragged === mine) showCosts(board, mine.costs, mine.from);
  });
  board.addEventListener("dragover", (event) => {
    const column = event.target.closest?.("[data-courier]");
    for (const other of board.querySelectorAll(".is-over")) other.classList.toggle("is-over", other === column);
    if (!dragged || !column || !dragged.costs[column.dataset.courier]) return;
    column.classList.add("is-over");
    event.preventDefault();
  });
  board.addEventListener("drop", (event) => {
    const courier = event.target.closest?.("[data-courier]")?.dataset.courier;
    const place = dragged?.costs[courier];
    if (!place) return;
    event.preventDefault();
    form.action = `${dragged.link.href}/move`;
    form.elements.place.value = `${courier}:${place.sequence}`;
    form.requestSubmit();
  });
  board.addEventListener("dragend", () => {
    dragged = undefined;
    hideCosts(board);
  });
}

/** The filters of a page with `data-submits` take effect when one of them changes. */
function startFilters() {
  document.querySelector("form[data-submits]")?.addEventListener("change", (event) => {
    event.currentTarget.requestSubmit();
  });
}

export function startDispatch() {
  const board = document.querySelector("[data-board]");
  if (board) {
    startOpening(board);
    startDragging(board);
  }
  startFilters();
  for (const form of document.querySelectorAll("form[data-signed]")) startSignature(form);
  startPhotos();
}
