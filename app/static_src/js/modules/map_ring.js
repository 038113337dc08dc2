// An area's corners. A tap adds one at the end, or between two where it lies on their side; corners are dragged,
// moved by the arrow keys (with Shift in large steps) and deleted. The form's text has them too, one a line:
// what is typed there is drawn, and each change of the drawing is written there.
import { LngLatBounds, Marker } from "maplibre-gl";

const STEP = 4; // pixels
const LARGE_STEP = 40;
const ON_SIDE = 10; // pixels from a side that still count as on it
const DIGITS = 6; // of a degree: a decimetre
const COLOUR = "#0d5b70";
const TURNS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const TAKES_OUT = ["Delete", "Backspace"];

/** Corners as [longitude, latitude]; undefined where a line is not two numbers. */
function read(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  const corners = lines.map((line) =>
    line
      .trim()
      .split(/\s*[,，、;；\s]\s*/)
      .map(Number)
      .reverse(),
  );
  const fits = (corner) =>
    corner.length === 2 && Math.abs(corner[0]) <= 180 && Math.abs(corner[1]) <= 90; // not so for what is no number
  return corners.every(fits) ? corners : undefined;
}

function written(corners) {
  return corners.map(([lng, lat]) => `${lat.toFixed(DIGITS)}, ${lng.toFixed(DIGITS)}`).join("\n");
}

function shape(corners) {
  const features = [];
  if (corners.length > 1) {
    const geometry =
      corners.length > 2
        ? { type: "Polygon", coordinates: [[...corners, corners[0]]] }
        : { type: "LineString", coordinates: corners };
    features.push({ type: "Feature", properties: {}, geometry });
  }
  return { type: "FeatureCollection", features };
}

/** The corners with some taken out at a place, and others put there. */
function spliced(corners, number, count, ...put) {
  return [...corners.slice(0, number), ...put, ...corners.slice(number + count)];
}

/** How far a point lies from a side, all in pixels. */
function distance(point, start, end) {
  const [dx, dy] = [end.x - start.x, end.y - start.y];
  const along = ((point.x - start.x) * dx + (point.y - start.y) * dy) / (dx * dx + dy * dy || 1);
  const part = Math.min(1, Math.max(0, along));
  return Math.hypot(point.x - start.x - part * dx, point.y - start.y - part * dy);
}

export function keepRing(map, element) {
  const form = document.getElementById(element.dataset.ring);
  const { ring } = form.elements;
  const undo = form.querySelector("[data-ring-undo]");
  const remove = form.querySelector("[data-ring-remove]");
  const past = [];
  let corners = read(ring.value) ?? [];
  let markers = [];
  let chosen = -1;

  map.addSource("ring", { type: "geojson", data: shape(corners) });
  map.addLayer({
    id: "ring",
    type: "fill",
    source: "ring",
    filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "fill-color": COLOUR, "fill-opacity": 0.18 },
  });
  map.addLayer({
    id: "ring-sides",
    type: "line",
    source: "ring",
    layout: { "line-join": "round" },
    paint: { "line-color": COLOUR, "line-width": 2.5 },
  });

  const show = () => {
    map.getSource("ring").setData(shape(corners));
    undo.disabled = past.length === 0;
    remove.disabled = chosen < 0;
    markers.forEach((marker, number) => {
      marker.getElement().setAttribute("aria-pressed", String(number === chosen));
    });
  };
  const change = (next) => {
    past.push(corners);
    corners = next;
    ring.value = written(corners);
  };
  const put = (number, { lng, lat }) => change(spliced(corners, number, 1, [lng, lat]));
  const takeOut = (number) => {
    change(spliced(corners, number, 1));
    chosen = -1;
    place();
  };

  function cornerAt(number) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "map-corner" });
    button.setAttribute("aria-label", element.dataset.ringLabel.replace("{number}", number + 1));
    const marker = new Marker({ element: button, draggable: true }).setLngLat(corners[number]).addTo(map);
    const choose = () => {
      chosen = number;
      show();
    };
    button.addEventListener("focus", choose);
    button.addEventListener("click", (event) => {
      event.stopPropagation(); // it is not the map that was tapped
      choose();
    });
    button.addEventListener("keydown", (event) => {
      const turn = TURNS[event.key];
      if (!turn && !TAKES_OUT.includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      if (!turn) {
        takeOut(number);
        markers[Math.min(number, markers.length - 1)]?.getElement().focus();
        return;
      }
      const step = event.shiftKey ? LARGE_STEP : STEP;
      const { x, y } = map.project(marker.getLngLat());
      marker.setLngLat(map.unproject([x + turn[0] * step, y + turn[1] * step]));
      put(number, marker.getLngLat());
      show();
    });
    marker.on("drag", () => {
      const { lng, lat } = marker.getLngLat();
      map.getSource("ring").setData(shape(spliced(corners, number, 1, [lng, lat])));
    });
    marker.on("dragend", () => {
      chosen = number;
      put(number, marker.getLngLat());
      show();
    });
    return marker;
  }

  function place() {
    markers.forEach((marker) => marker.remove());
    markers = corners.map((_corner, number) => cornerAt(number));
    show();
  }

  /** Where a new corner goes: into the side that was tapped, else at the end. */
  function seat(point) {
    const pixels = corners.map((corner) => map.project(corner));
    const sides = pixels.map((start, number) => distance(point, start, pixels[(number + 1) % pixels.length]));
    const nearest = sides.indexOf(Math.min(...sides));
    return corners.length > 2 && sides[nearest] <= ON_SIDE ? nearest + 1 : corners.length;
  }

  map.on("click", ({ point, lngLat }) => {
    const { lng, lat } = lngLat.wrap();
    const number = seat(point);
    change(spliced(corners, number, 0, [lng, lat]));
    chosen = number;
    place();
  });
  undo.addEventListener("click", () => {
    corners = past.pop();
    ring.value = written(corners);
    chosen = -1;
    place();
  });
  remove.addEventListener("click", () => takeOut(chosen));
  ring.addEventListener("change", () => {
    const typed = read(ring.value);
    if (!typed) return; // the form says which line when it is sent
    past.push(corners);
    corners = typed;
    chosen = -1;
    place();
    look();
  });

  function look() {
    const bounds = new LngLatBounds();
    corners.forEach((corner) => bounds.extend(corner));
    if (!bounds.isEmpty()) map.fitBounds(bounds, { padding: 60, maxZoom: 15, animate: false });
  }
  place();
  look();
}
