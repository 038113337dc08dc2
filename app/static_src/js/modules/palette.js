// Colours come from the style sheet (css/_base.scss, css/_visuals.scss), so that pages, maps and charts agree.
const style = getComputedStyle(document.documentElement);
const read = (name) => style.getPropertyValue(name).trim();

export const SERIES = Array.from({ length: 10 }, (_, index) => read(`--series-${index}`));
export const TONES = Object.fromEntries(
  ["neutral", "info", "progress", "ok", "warn", "bad"].map((tone) => [tone, read(`--tone-${tone}`)]),
);
export const MUTED = read("--muted");
export const HAIRLINE = read("--hairline");
export const FONT = getComputedStyle(document.body).fontFamily;

/** A feature's colour: its tone if it has one, else that of its series. */
export function colourOf({ tone, series = 0 }) {
  return TONES[tone] ?? SERIES[series % SERIES.length];
}
