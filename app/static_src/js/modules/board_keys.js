// The board by keys: `m` lifts the stop that has the focus, arrows carry it, Enter drops it, Escape leaves it.
// Ctrl+Z and Ctrl+Shift+Z take a change back and make it again.
import { Lift } from "./board_lift.js";

const isTyping = (target) => target.matches("input, textarea, select");

export function startBoardKeys(board) {
  let lift;
  const said = document.getElementById("board-said");

  const tell = (target) => {
    if (!target?.gap) return;
    const words = {
      name: target.column.dataset.name,
      place: target.gap.sequence + 1,
      places: target.places,
      cost: target.gap.refused ?? `${target.gap.cost}, ${target.gap.at}`,
    };
    said.textContent = board.dataset.place.replace(/\{(\w+)\}/g, (_all, key) => words[key]);
    target.column.scrollIntoView({ block: "nearest", inline: "nearest" });
    lift.mark.scrollIntoView({ block: "nearest" });
  };
  const go = async (column, sequence) => {
    for (const other of board.querySelectorAll(".is-over")) other.classList.remove("is-over");
    column.classList.add("is-over");
    tell(await lift.point(column, Math.max(0, sequence)));
  };
  const begin = (link) => {
    lift = new Lift(board, link);
    lift.showOffers();
    const column = link.closest("[data-courier]") ?? board.querySelector("[data-courier]");
    const rows = [...column.querySelectorAll(".round-stops > li")];
    go(column, Math.max(0, rows.indexOf(link.closest("li"))));
  };
  const end = (text) => {
    lift.end();
    said.textContent = text;
    lift.link.focus();
    lift = undefined;
  };
  const beside = (step) => {
    const columns = [...board.querySelectorAll("[data-courier]")];
    const at = columns.indexOf(lift.target.column) + step;
    const column = columns[Math.min(columns.length - 1, Math.max(0, at))];
    go(column, lift.offers[column.dataset.courier]?.sequence ?? 0);
  };
  const along = (step) => {
    const last = lift.rowsOf(lift.target.column).length;
    go(lift.target.column, Math.min(last, lift.target.sequence + step));
  };
  const carry = {
    ArrowUp: () => along(-1),
    ArrowDown: () => along(1),
    ArrowLeft: () => beside(-1),
    ArrowRight: () => beside(1),
    Enter: () => lift.drop(),
    Escape: () => end(board.dataset.cancelled),
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      document.querySelector(`[data-key=${event.shiftKey ? "redo" : "undo"}]:not(:disabled)`)?.click();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (lift && carry[event.key]) {
      event.preventDefault();
      carry[event.key]();
    } else if (!lift && event.key === "m") {
      const link = event.target.closest?.("a[data-stop][draggable=true]");
      if (!link) return;
      event.preventDefault();
      begin(link);
    }
  });
}
