// Runs on every page. Each module enhances what the server rendered; without scripts the pages still work.
import htmx from "htmx.org/dist/htmx.esm.js";
import Alpine from "@alpinejs/csp";
import { startConfirming } from "./modules/confirm.js";
import { startDispatch } from "./modules/dispatch.js";
import { startDemoLogins } from "./modules/logins.js";
import { startKeyboard } from "./modules/keyboard.js";
import { startLiveStory } from "./modules/live.js";
import { startLoadingBar, startRequests } from "./modules/requests.js";
import { labelCells } from "./modules/tables.js";
import { localiseTimes } from "./modules/times.js";
import { startDialogs, startDisclosures, startMenus } from "./modules/overlays.js";
import { startRun } from "./modules/run.js";
import { startScanFields } from "./modules/scan.js";
import { startScanStation } from "./modules/scan_station.js";
import { showVisuals } from "./modules/visuals.js";

/** Everything that has to look at new elements, whether they came with the page or were swapped in. */
function enhance(root) {
  labelCells(root);
  localiseTimes(root);
  showVisuals(root);
}

startMenus();
startDisclosures();
startDialogs();
startKeyboard();
startConfirming();
startRequests();
startLoadingBar();
startScanFields();
startScanStation();
startDemoLogins();
startDispatch();
startLiveStory();
startRun();
enhance(document);
document.addEventListener("htmx:after:settle", () => enhance(document));

// Components that are more than an expression in a template are registered here, with Alpine.data(name, ...).
window.Alpine = Alpine;
window.htmx = htmx;
Alpine.start();
