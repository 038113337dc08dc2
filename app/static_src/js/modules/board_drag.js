// Dragging a stop with the pointer, to another courier or elsewhere in its round.
import { Lift } from "./board_lift.js";

/** Which visit a stop would become where the pointer is: after every row whose middle lies above it. */
function sequenceAt(lift, column, y) {
  const rows = lift.rowsOf(column);
  const below = rows.findIndex((row) => {
    const box = row.getBoundingClientRect();
    return y < box.top + box.height / 2;
  });
  return below < 0 ? rows.length : below;
}

const EDGE_PX = 40;
const SCROLLED_PX_A_MS = 0.5;

/** Scrolls a long round while the pointer is at the upper or lower edge of its list, so that every place is reached. */
function scrollAtEdge(column, y, passed_ms) {
  const list = column.querySelector(".round-stops");
  if (!list) return;
  const box = list.getBoundingClientRect();
  const edge = Math.min(EDGE_PX, box.height / 4);
  const way = y < box.top + edge ? -1 : y > box.bottom - edge ? 1 : 0;
  list.scrollTop += way * SCROLLED_PX_A_MS * Math.min(passed_ms, 100);
}

export function startDragging(board) {
  let lift;
  let frame;
  let told_ms = 0;
  const point = (column, y) => {
    const sequence = sequenceAt(lift, column, y);
    const same = lift.target?.column === column && lift.target.sequence === sequence;
    if (!same) lift.point(column, sequence);
  };
  document.addEventListener("dragstart", (event) => {
    const link = event.target.closest?.("a[data-stop][draggable=true]");
    if (!link) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", link.href);
    lift = new Lift(board, link);
    lift.showOffers();
  });
  board.addEventListener("dragenter", (event) => {
    // A place that has not said so takes nothing: the line with the cost comes up under the pointer.
    if (lift && event.target.closest?.("[data-courier]")) event.preventDefault();
  });
  board.addEventListener("dragover", (event) => {
    if (!lift) return;
    const column = event.target.closest?.("[data-courier]");
    for (const other of board.querySelectorAll(".is-over")) other.classList.toggle("is-over", other === column);
    if (!column) return;
    event.preventDefault();
    column.classList.add("is-over");
    const { clientY, timeStamp } = event;
    scrollAtEdge(column, clientY, timeStamp - told_ms); // it is told again and again while the pointer rests
    told_ms = timeStamp;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => lift && point(column, clientY)); // once a picture, however often it is told
  });
  board.addEventListener("drop", (event) => {
    if (!lift) return;
    event.preventDefault();
    lift.drop();
  });
  document.addEventListener("dragend", () => {
    cancelAnimationFrame(frame);
    lift?.end();
    lift = undefined;
  });
}
