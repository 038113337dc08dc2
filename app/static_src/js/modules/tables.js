/** Gives each cell its column's name, which the style sheet shows where a row is stacked on a narrow screen. */
export function labelCells(root) {
  for (const table of root.querySelectorAll("table.data-stack")) {
    const names = [...table.querySelectorAll("thead th")].map((head) =>
      head.querySelector(".visually-hidden") ? "" : head.textContent.trim(),
    );
    for (const row of table.querySelectorAll("tbody tr, tfoot tr")) {
      let column = 0;
      for (const cell of row.cells) {
        if (names[column] && !cell.dataset.label) cell.dataset.label = names[column];
        column += cell.colSpan;
      }
    }
  }
}
