// The dispatcher's board: a stop opens in a dialog, and may be carried elsewhere by pointer or keys, with its cost
// shown before it is dropped. Everything here can also be done with links and forms.
import htmx from "htmx.org/dist/htmx.esm.js";
import { startDragging } from "./board_drag.js";
import { startBoardKeys } from "./board_keys.js";
import { startPhotos } from "./photo.js";
import { startSignature } from "./signature.js";

const dialog = () => document.getElementById("stop-dialog");

async function openStop(link) {
  await htmx.ajax("GET", link.href, { target: "#stop-panel", swap: "innerHTML" });
  if (!dialog().open) dialog().showModal();
}

function startOpening() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-stop]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openStop(link);
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
    startOpening();
    if (document.getElementById("move-form")) {
      startDragging(board);
      startBoardKeys(board);
    }
  }
  startFilters();
  for (const form of document.querySelectorAll("form[data-signed]")) startSignature(form);
  startPhotos();
}
