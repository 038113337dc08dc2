// Builds app/static/build/: bundles, style sheets, the icon sprite and the map's land outline, all named by content,
// and manifest.json, through which app/assets.py finds them. Run by `npm run build`.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import * as sass from "sass";
import { iconSprite } from "./icons.mjs";
import { landOutline } from "./land.mjs";

const source = dirname(fileURLToPath(import.meta.url));
const root = resolve(source, "../..");
const modules = join(root, "node_modules");
const output = join(root, "app/static/build");
const manifest = {};

/** Writes a file under a name that holds its content's hash, so that browsers may keep it for ever. */
async function emit(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const dot = name.lastIndexOf(".");
  const hashed = `${name.slice(0, dot)}-${hash}${name.slice(dot)}`;
  await writeFile(join(output, hashed), content);
  manifest[name] = hashed;
  return hashed;
}

function compileSass(file) {
  return sass.compile(join(source, "css", file), {
    loadPaths: [modules],
    style: "compressed",
    quietDeps: true,
    // Bootstrap 5 is written with @import; it will move to @use in its next major version.
    silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function"],
  }).css;
}

const shared = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  write: false,
};

async function buildWorker() {
  const worker = await esbuild.build({
    ...shared,
    entryPoints: [join(modules, "maplibre-gl/dist/maplibre-gl-worker.mjs")],
  });
  return emit("map-worker.js", worker.outputFiles[0].contents);
}

async function buildScripts(addresses) {
  const result = await esbuild.build({
    ...shared,
    entryPoints: ["app", "map", "chart", "run-worker"].map((name) => join(source, "js", `${name}.js`)),
    splitting: true,
    outdir: output,
    entryNames: "[name]-[hash]",
    chunkNames: "shared-[hash]",
    define: Object.fromEntries(Object.entries(addresses).map(([key, value]) => [key, JSON.stringify(value)])),
    metafile: true,
  });
  for (const file of result.outputFiles) await writeFile(file.path, file.contents);
  for (const [path, made] of Object.entries(result.metafile.outputs)) {
    const name = made.entryPoint ? basename(made.entryPoint) : basename(path);
    manifest[name] = basename(path);
  }
}

/** Removes what earlier builds left; runs last, so that a page being served never misses a file. */
async function removeOld() {
  const wanted = new Set([...Object.values(manifest), "manifest.json", "stamp"]);
  for (const file of await readdir(output)) {
    if (!wanted.has(file)) await rm(join(output, file));
  }
}

await mkdir(output, { recursive: true });
await emit("app.css", compileSass("app.scss"));
await emit("icons.svg", await iconSprite(modules));
const addresses = {
  MAP_STYLE_SHEET: await emit("map.css", compileSass("map.scss")),
  MAP_WORKER: await buildWorker(),
  MAP_LAND: await emit("land.json", await landOutline(modules)),
};
await buildScripts(addresses);
const partial = join(output, "manifest.json.new");
await writeFile(partial, JSON.stringify(manifest, null, 2) + "\n");
await rename(partial, join(output, "manifest.json"));
await removeOld();
for (const [name, hashed] of Object.entries(manifest).sort()) {
  const { length } = await readFile(join(output, hashed));
  process.stdout.write(`${name.padEnd(24)} ${String(Math.ceil(length / 1024)).padStart(6)} kB\n`);
}
