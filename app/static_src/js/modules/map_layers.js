// How the map is painted: a quiet backdrop, then areas, lines and points in the colours their data carry.
const SEA = "#e6edf1";
const LAND = "#f8f9f7";
const COAST = "#c9d3d9";

export function worldStyle(landAddress) {
  return {
    version: 8,
    sources: { land: { type: "geojson", data: landAddress } },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": SEA } },
      { id: "land", type: "fill", source: "land", paint: { "fill-color": LAND } },
      { id: "coast", type: "line", source: "land", paint: { "line-color": COAST, "line-width": 0.8 } },
    ],
  };
}

const single = ["!", ["has", "point_count"]];

export const layers = [
  {
    id: "areas",
    type: "fill",
    source: "areas",
    paint: { "fill-color": ["get", "colour"], "fill-opacity": 0.12 },
  },
  {
    id: "line-edges",
    type: "line",
    source: "lines",
    layout: { "line-cap": "round", "line-join": "round" },
    paint: {
      "line-color": "#ffffff",
      "line-width": ["+", ["coalesce", ["get", "width"], 2.5], 2],
      "line-opacity": 0.8,
    },
  },
  {
    id: "lines",
    type: "line",
    source: "lines",
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": ["get", "colour"], "line-width": ["coalesce", ["get", "width"], 2.5] },
  },
  {
    id: "points",
    type: "circle",
    source: "points",
    filter: single,
    paint: {
      "circle-color": ["get", "colour"],
      "circle-radius": ["coalesce", ["get", "radius"], 6],
      "circle-stroke-color": "#ffffff",
      "circle-stroke-width": 2,
    },
  },
];
