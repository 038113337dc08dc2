// Words on the map: names that make room for each other, and the counts of clusters.
import { Marker } from "maplibre-gl";
import { message } from "./messages.js";

const LANGUAGE = document.documentElement.lang.slice(0, 2);

const ROOM = 4; // pixels kept free between two names

function labelElement(text, className) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}

function overlaps(a, b) {
  return (
    a.left < b.right + ROOM && b.left < a.right + ROOM && a.top < b.bottom + ROOM && b.top < a.bottom + ROOM
  );
}

function nameMarkers(map, features, className, placing) {
  return features.map(({ geometry, properties }) =>
    new Marker({ element: labelElement(properties.label ?? properties[LANGUAGE], className), ...placing })
      .setLngLat(geometry.coordinates)
      .addTo(map),
  );
}

/** Writes names at places and regions; where two would lie on each other, the first of them stays, places before regions. */
export function keepLabels(map, places, regions) {
  const elements = [
    ...nameMarkers(map, places, "map-label", { anchor: "left", offset: [10, 0] }),
    ...nameMarkers(map, regions, "map-label map-label-region", { anchor: "center" }),
  ].map((marker) => marker.getElement());
  const arrange = () => {
    elements.forEach((element) => {
      element.hidden = false;
    });
    const taken = [];
    for (const [element, box] of elements.map((element) => [element, element.getBoundingClientRect()])) {
      element.hidden = taken.some((other) => overlaps(box, other));
      if (!element.hidden) taken.push(box);
    }
  };
  map.on("moveend", arrange);
  map.once("idle", arrange);
}

/** Draws each visible cluster as a round button with its count; pressing it opens the cluster. */
export function keepClusterMarkers(map, sourceName) {
  let shown = new Map();
  const refresh = () => {
    if (!map.isSourceLoaded(sourceName)) return;
    const next = new Map();
    for (const feature of map.querySourceFeatures(sourceName, { filter: ["has", "point_count"] })) {
      const { cluster_id: id, point_count: count } = feature.properties;
      if (next.has(id)) continue;
      next.set(id, shown.get(id) ?? clusterMarker(map, sourceName, id, count, feature.geometry.coordinates));
    }
    for (const [id, marker] of shown) if (!next.has(id)) marker.remove();
    shown = next;
  };
  map.on("moveend", refresh);
  map.on("sourcedata", refresh);
  map.on("idle", refresh);
}

function clusterMarker(map, sourceName, id, count, coordinates) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "map-cluster";
  button.textContent = count;
  button.title = message("openCluster");
  button.addEventListener("click", async (event) => {
    event.stopPropagation();
    const zoom = await map.getSource(sourceName).getClusterExpansionZoom(id);
    map.easeTo({ center: coordinates, zoom });
  });
  return new Marker({ element: button }).setLngLat(coordinates).addTo(map);
}
