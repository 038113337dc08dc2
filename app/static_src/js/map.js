// Draws `map()` blocks with MapLibre, from our own files alone: no tile, glyph or sprite server is asked.
// Names and cluster counts are HTML markers, because letters on the map itself would need a glyph server.
import {
  LngLatBounds,
  Map as WorldMap,
  NavigationControl,
  Popup,
  ScaleControl,
  setWorkerUrl,
} from "maplibre-gl";
import { layers, worldStyle } from "./modules/map_layers.js";
import { keepClusterMarkers, keepLabels } from "./modules/map_markers.js";
import { keepPin } from "./modules/map_pin.js";
import { keepRing } from "./modules/map_ring.js";
import { colourOf } from "./modules/palette.js";
import { readData } from "./modules/visuals.js";

const here = (file) => new URL(file, import.meta.url).href;
const CHINA = [
  [73, 17],
  [135.5, 54],
];
const LIVE_MS = 15_000;
const CLUSTER_FROM = 150; // points; fewer are easier to read one by one

setWorkerUrl(here(MAP_WORKER));

let styleSheet;
function loadStyleSheet() {
  styleSheet ??= new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement("link"), {
      rel: "stylesheet",
      href: here(MAP_STYLE_SHEET),
    });
    link.addEventListener("load", resolve);
    link.addEventListener("error", () => reject(new Error("The map's style sheet did not load.")));
    document.head.append(link);
  });
  return styleSheet;
}

/** Splits one FeatureCollection by shape and writes each feature's colour into it. */
function sort(collection) {
  const coloured = collection.features.map((feature) => ({
    ...feature,
    properties: { ...feature.properties, colour: colourOf(feature.properties ?? {}) },
  }));
  const of = (...types) => ({
    type: "FeatureCollection",
    features: coloured.filter((feature) => types.includes(feature.geometry.type)),
  });
  return {
    points: of("Point"),
    lines: of("LineString", "MultiLineString"),
    areas: of("Polygon", "MultiPolygon"),
  };
}

function boundsOf(collection) {
  const bounds = new LngLatBounds();
  const walk = (coordinates) => {
    if (typeof coordinates[0] === "number") bounds.extend(coordinates);
    else coordinates.forEach(walk);
  };
  collection.features.forEach((feature) => walk(feature.geometry.coordinates));
  return bounds;
}

function popupFor(feature, at) {
  const { title = "", detail, url } = feature.properties;
  const body = document.createElement("div");
  const heading = document.createElement(url ? "a" : "p");
  heading.className = "map-popup-title";
  heading.textContent = title;
  if (url) heading.href = url;
  body.append(heading);
  if (detail) body.append(Object.assign(document.createElement("p"), { textContent: detail }));
  return new Popup({ offset: 10, maxWidth: "18rem", focusAfterOpen: false })
    .setLngLat(at)
    .setDOMContent(body);
}

function listen(map, element) {
  for (const layer of ["points", "lines", "movers"].filter((id) => map.getLayer(id))) {
    map.on("click", layer, (event) => {
      const [feature] = event.features;
      const at = layer !== "lines" ? feature.geometry.coordinates : event.lngLat;
      if (feature.properties.title) popupFor(feature, at).addTo(map);
      element.dispatchEvent(new CustomEvent("map:select", { bubbles: true, detail: feature.properties }));
    });
    map.on("mouseenter", layer, () => {
      map.getCanvas().style.cursor = "pointer";
    });
    map.on("mouseleave", layer, () => {
      map.getCanvas().style.cursor = "";
    });
  }
}

function draw(map, data) {
  const parts = sort(data);
  for (const [name, part] of Object.entries(parts)) map.getSource(name)?.setData(part);
  return parts;
}

/** What moves lies above everything else, and is asked for again while anybody looks. */
async function keepMovers(map, element) {
  const look = async () => {
    const answer = await fetch(element.dataset.moversUrl).catch(() => undefined);
    if (answer?.ok) map.getSource("movers").setData(sort(await answer.json()).points);
  };
  map.addSource("movers", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  map.addLayer({ ...layers.find(({ id }) => id === "points"), id: "movers", source: "movers" });
  await look();
  setInterval(() => document.hidden || look(), LIVE_MS);
}

export async function showMap(element) {
  const [data, regions] = await Promise.all([
    readData(element, "map"),
    element.dataset.regionsUrl ? readData(element, "regions") : { features: [] },
    loadStyleSheet(),
  ]);
  const parts = sort(data);
  const bounds = boundsOf(data);
  const map = new WorldMap({
    container: element,
    style: worldStyle(here(MAP_LAND)),
    bounds: bounds.isEmpty() ? CHINA : bounds,
    fitBoundsOptions: { padding: { top: 40, bottom: 40, left: 40, right: 112 }, maxZoom: 13 },
    locale: { "Map.Title": element.getAttribute("aria-label") },
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    cooperativeGestures: element.dataset.gestures === "cooperative",
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ maxWidth: 90 }), "bottom-left");
  await map.once("load");
  const clustered = parts.points.features.length > CLUSTER_FROM;
  for (const [name, part] of Object.entries(parts)) {
    const grouping =
      name === "points" && clustered ? { cluster: true, clusterRadius: 44, clusterMaxZoom: 13 } : {};
    map.addSource(name, { type: "geojson", data: part, ...grouping });
  }
  layers.forEach((layer) => map.addLayer(layer));
  keepLabels(
    map,
    parts.points.features.filter(({ properties }) => properties.label),
    regions.features,
  );
  map.once("idle", () => {
    element.dataset.drawn = "yes"; // for whoever waits for the whole picture
  });
  if (clustered) keepClusterMarkers(map, "points");
  if (element.dataset.moversUrl) await keepMovers(map, element);
  if (element.dataset.pin) keepPin(map, element);
  if (element.dataset.ring) keepRing(map, element);
  listen(map, element);
  element.addEventListener("map:data", (event) => draw(map, event.detail));
  element.dispatchEvent(new CustomEvent("map:ready", { bubbles: true }));
}
