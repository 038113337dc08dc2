// Maps and charts are large, so their code is fetched only where a page shows one.
import { message } from "./messages.js";

async function show(element, load) {
  if (element.dataset.shown) return;
  element.dataset.shown = "yes";
  try {
    await load(element);
  } catch (error) {
    const note = document.createElement("p");
    note.className = "map-message";
    note.textContent = message("noPicture");
    element.replaceChildren(note);
    console.warn("A picture could not be drawn.", error);
  }
}

export function showVisuals(root) {
  for (const element of root.querySelectorAll("[data-map]")) {
    show(element, async (target) => (await import("../map.js")).showMap(target));
  }
  for (const element of root.querySelectorAll("[data-chart]")) {
    show(element, async (target) => (await import("../chart.js")).showChart(target));
  }
}

/** The JSON a picture draws: from the block named by `key`, or from the address named by `addressKey`. */
export async function readData(element, key) {
  const { dataset } = element;
  if (dataset[`${key}Url`]) {
    const answer = await fetch(dataset[`${key}Url`], { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${dataset[`${key}Url`]} answered ${answer.status}`);
    return answer.json();
  }
  return JSON.parse(document.getElementById(dataset[key]).textContent);
}
