// A stop that somebody holds over the board: what each courier, and each place of a round, would cost more.
// Pointer (board_drag.js) and keys (board_keys.js) move it; the server says every cost before it is dropped.
import { message } from "./messages.js";
import { toast } from "./requests.js";

async function read(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
}

export class Lift {
  /** @param {HTMLAnchorElement} link the stop's row, or its link in the list of stops without a round. */
  constructor(board, link) {
    this.board = board;
    this.link = link;
    this.from = link.closest("[data-courier]")?.dataset.courier;
    this.offers = {};
    this.gaps = new Map();
    this.mark = Object.assign(document.createElement("li"), { className: "gap-mark" });
    link.classList.add("is-lifted");
  }

  /** Writes each courier's extra cost on his column; a column that cannot take the stop says so. */
  async showOffers() {
    try {
      this.offers = await read(`${this.link.pathname}/costs`);
    } catch {
      toast("bad", message("offline"));
      return;
    }
    if (this.over) return;
    for (const column of this.board.querySelectorAll("[data-courier]")) {
      const place = this.offers[column.dataset.courier];
      const own = column.dataset.courier === this.from;
      column.classList.toggle("is-possible", Boolean(place));
      column.classList.toggle("is-impossible", !place && !own);
      column.querySelector("[data-cost]").textContent = place
        ? place.cost
        : own
          ? ""
          : this.board.dataset.impossible;
    }
  }

  /** The places of a courier's round with their costs, asked for once. */
  gapsOf(courier) {
    if (!this.gaps.has(courier)) this.gaps.set(courier, read(`${this.link.pathname}/costs?courier=${courier}`));
    return this.gaps.get(courier);
  }

  /** The rows of a column without the lifted one, in the order of visit. */
  rowsOf(column) {
    return [...column.querySelectorAll(".round-stops > li:not(.gap-mark)")].filter(
      (row) => !row.contains(this.link),
    );
  }

  /** Shows a place: a line between two stops with its cost, or why the stop cannot go there. */
  async point(column, sequence) {
    const courier = column.dataset.courier;
    this.target = { courier, column, sequence, gap: undefined };
    const target = this.target;
    let gaps;
    try {
      gaps = await this.gapsOf(courier);
    } catch {
      this.gaps.delete(courier);
      return undefined;
    }
    if (this.target !== target || this.over) return undefined;
    target.gap = gaps[Math.min(sequence, gaps.length - 1)];
    target.places = gaps.length;
    const text = target.gap.refused ?? `${target.gap.cost} · ${target.gap.at}`;
    this.mark.textContent = text;
    this.mark.classList.toggle("is-refused", Boolean(target.gap.refused));
    const rows = this.rowsOf(column);
    const list = column.querySelector(".round-stops");
    if (list) list.insertBefore(this.mark, rows[target.gap.sequence] ?? null);
    column.querySelector("[data-cost]").textContent = text;
    return target;
  }

  /** Sends the move to the place pointed at; the page comes back with the plan as it is then. */
  drop() {
    const { target } = this;
    const best = target && this.offers[target.courier];
    const sequence = target?.gap ? !target.gap.refused && target.gap.sequence : best?.sequence;
    if (sequence === false || sequence === undefined) return false;
    const form = document.getElementById("move-form");
    form.action = `${this.link.pathname}/move${form.dataset.query}`;
    form.elements.place.value = `${target.courier}:${sequence}`;
    form.requestSubmit();
    return true;
  }

  end() {
    this.over = true;
    this.mark.remove();
    this.link.classList.remove("is-lifted");
    for (const column of this.board.querySelectorAll("[data-courier]")) {
      column.classList.remove("is-possible", "is-impossible", "is-over");
      column.querySelector("[data-cost]").textContent = "";
    }
  }
}
