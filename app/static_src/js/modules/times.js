// The server writes a time in the zone of the place where it was recorded. Here it becomes the viewer's own time,
// and the place's time stays within reach on hover. `data-zone="place"` keeps the place's time in front.
import { message } from "./messages.js";

// Day before month, as the server writes it.
const language = document.documentElement.lang.replace(/^en$/, "en-GB");
const SHAPES = {
  full: { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" },
  short: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" },
  time: { hour: "2-digit", minute: "2-digit" },
};

function write(moment, shape) {
  return new Intl.DateTimeFormat(language, { ...SHAPES[shape], hourCycle: "h23" }).format(moment);
}

export function localiseTimes(root) {
  for (const element of root.querySelectorAll("time[data-offset]:not([data-done])")) {
    element.dataset.done = "yes";
    const moment = new Date(element.dateTime);
    const viewerOffset = -moment.getTimezoneOffset();
    if (viewerOffset === Number(element.dataset.offset)) continue;
    const yours = write(moment, element.dataset.shape);
    if (element.dataset.zone === "place") {
      element.title = `${yours} ${message("yourTime")} · ${element.title}`;
    } else {
      element.textContent = yours;
    }
  }
}
