// A parcel's page follows what happens to it: its story is fetched anew when a stream of events says that it changed.
import { localiseTimes } from "./times.js";

/** Whether a document says what stands on the page already, as the first one of a stream mostly does. */
function isShown(told, story) {
  const rows = story.querySelectorAll(".timeline-item").length;
  const { round } = told;
  const comes = round ? `${Date.parse(round.to) / 1000}-${round.stops_away ?? ""}` : "";
  return told.sentence === story.querySelector(".sentence")?.textContent && told.events.length === rows &&
    comes === (story.dataset.comes ?? "");
}

async function renew() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("story");
  const story = document.getElementById("story");
  if (!fresh || !story) return;
  fresh.querySelector(".sentence")?.setAttribute("aria-live", "polite");
  story.replaceWith(fresh);
  localiseTimes(fresh);
}

/** Without a stream, or when it is refused, the page stays as it came. */
export function startLiveStory() {
  const address = document.getElementById("story")?.dataset.live;
  if (!address || !window.EventSource) return;
  const stream = new EventSource(address);
  stream.addEventListener("document", (event) => {
    const story = document.getElementById("story");
    if (story && !isShown(JSON.parse(event.data), story)) renew();
  });
  stream.addEventListener("end", () => stream.close());
}
