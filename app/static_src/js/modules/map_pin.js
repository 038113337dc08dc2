// A pin that says where something is: dragged, put by a click, or moved by the arrow keys (with Shift in large
// steps). The form's fields hold the place; typed into, they move the pin.
import { Marker } from "maplibre-gl";

const STEP = 4; // pixels
const LARGE_STEP = 40;
const DIGITS = 6; // of a degree: a decimetre
const CLOSE_ZOOM = 15;
const TURNS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

export function keepPin(map, element) {
  const { latitude, longitude } = document.getElementById(element.dataset.pin).elements;
  const typed = () => [Number(longitude.value), Number(latitude.value)];
  const pin = Object.assign(document.createElement("button"), { type: "button", className: "map-pin" });
  pin.setAttribute("aria-label", element.dataset.pinLabel);
  pin.append(document.querySelector("template[data-pin-shape]").content.cloneNode(true));
  const marker = new Marker({ element: pin, anchor: "bottom", draggable: true }).setLngLat(typed()).addTo(map);

  const write = () => {
    const { lng, lat } = marker.getLngLat().wrap();
    latitude.value = lat.toFixed(DIGITS);
    longitude.value = lng.toFixed(DIGITS);
  };
  marker.on("dragend", write);
  map.on("click", (event) => {
    marker.setLngLat(event.lngLat);
    write();
  });
  pin.addEventListener("click", (event) => event.stopPropagation()); // it lies where it lay
  pin.addEventListener("keydown", (event) => {
    const turn = TURNS[event.key];
    if (!turn) return;
    event.preventDefault();
    event.stopPropagation();
    const step = event.shiftKey ? LARGE_STEP : STEP;
    const { x, y } = map.project(marker.getLngLat());
    marker.setLngLat(map.unproject([x + turn[0] * step, y + turn[1] * step]));
    map.panTo(marker.getLngLat(), { animate: false });
    write();
  });
  for (const field of [latitude, longitude]) {
    field.addEventListener("change", () => {
      if (!latitude.checkValidity() || !longitude.checkValidity()) return;
      marker.setLngLat(typed());
      map.panTo(typed(), { animate: false });
    });
  }
  map.jumpTo({ center: typed(), zoom: CLOSE_ZOOM });
}
