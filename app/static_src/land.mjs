// The map's only backdrop: land against sea (Natural Earth 1:50m, public domain), cut to East Asia.
// It draws no border between countries; places and lanes come from the product's own data.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { bboxClip } from "@turf/bbox-clip";
import { feature } from "topojson-client";

const WEST_SOUTH_EAST_NORTH = [60, 0, 160, 60];
const DECIMALS = 2; // about one kilometre, finer than the source

export async function landOutline(modules) {
  const topology = JSON.parse(await readFile(join(modules, "world-atlas/land-50m.json"), "utf8"));
  const land = feature(topology, topology.objects.land);
  const clipped = land.features.map((part) => bboxClip(part, WEST_SOUTH_EAST_NORTH));
  const round = (_key, value) => (typeof value === "number" ? Number(value.toFixed(DECIMALS)) : value);
  return JSON.stringify({ type: "FeatureCollection", features: clipped }, round);
}
