// The icons that pages may use (`icon("truck")`), gathered into one sprite from Bootstrap Icons.
// A name that is missing here shows nothing on a page, and fails the architecture test that reads this list.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

export const ICONS = `
  archive arrow-clockwise arrow-counterclockwise arrow-down arrow-down-up arrow-left arrow-left-right arrow-right
  arrow-right-circle-fill arrow-up bag bank bar-chart bell box-arrow-in-down box-arrow-right box-arrow-up-right
  box-seam boxes broadcast building calendar3 camera cash-coin chat-left-text check check-circle-fill check-lg
  chevron-down chevron-left chevron-right chevron-up circle clipboard-check clock clock-history cloud-slash
  credit-card cup-hot dash-circle-fill diagram-3 door-open download envelope exclamation-triangle-fill eye eye-slash
  file-earmark-text filter flag folder-plus gear geo-alt geo-alt-fill globe2 grip-vertical headset heart-pulse hourglass-split
  house inbox info-circle-fill journal-text key keyboard layers link-45deg list list-check list-ul lock lock-fill
  lightning-charge mailbox map megaphone moon-stars pause-circle-fill pencil people person person-badge person-plus
  phone play-fill plus-lg printer qr-code question-circle receipt record-circle-fill reply search send
  shield-check shield-exclamation shop shuffle signpost-split sliders speedometer2 star stop-fill tag tags telephone three-dots
  tools trash truck unlock upc-scan upload wallet2 x-circle x-lg x-octagon x-octagon-fill
`
  .trim()
  .split(/\s+/);

export async function iconSprite(modules) {
  const symbols = await Promise.all(
    ICONS.map(async (name) => {
      const svg = await readFile(join(modules, "bootstrap-icons/icons", `${name}.svg`), "utf8");
      const [, viewBox, shapes] = svg.match(/viewBox="([^"]+)"[^>]*>([\s\S]*)<\/svg>/);
      return `<symbol id="${name}" viewBox="${viewBox}">${shapes.replace(/\s*\n\s*/g, "")}</symbol>`;
    }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
}
