// Maps and charts are large, so their code is fetched only where a page shows one, and they are drawn
// only when they are about to be seen.
import { message } from "./messages.js";

const LOADERS = {
  map: async (element) => (await import("../map.js")).showMap(element),
  chart: async (element) => (await import("../chart.js")).showChart(element),
};

const nearby = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      nearby.unobserve(target);
      show(target);
    }
  },
  { rootMargin: "200px" },
);

async function show(element) {
  try {
    await LOADERS[element.dataset.map ? "map" : "chart"](element);
  } catch (error) {
    const note = document.createElement("p");
    note.className = "map-message";
    note.textContent = message("noPicture");
    element.replaceChildren(note);
    console.warn("A picture could not be drawn.", error);
  }
}

export function showVisuals(root) {
  for (const element of root.querySelectorAll(
    "[data-map]:not([data-shown]), [data-chart]:not([data-shown])",
  )) {
    element.dataset.shown = "yes";
    nearby.observe(element);
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
