// What every htmx request carries, and what people see while it runs or when it fails.
import { message } from "./messages.js";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** Adds the CSRF token to requests that change something, and says so when the server was not reached. */
export function startRequests() {
  document.addEventListener("htmx:config:request", (event) => {
    const { request } = event.detail.ctx;
    const token = document.querySelector('meta[name="csrf-token"]')?.content;
    if (token && !SAFE_METHODS.has(request.method.toUpperCase())) request.headers["X-CSRFToken"] = token;
  });
  document.addEventListener("htmx:error", () => toast("bad", message("offline")));
}

export function startLoadingBar() {
  let running = 0;
  const show = () => document.documentElement.classList.toggle("is-loading", running > 0);
  document.addEventListener("htmx:before:request", () => {
    running += 1;
    show();
  });
  document.addEventListener("htmx:finally:request", () => {
    running = Math.max(0, running - 1);
    show();
  });
}

/** A short message in the corner; it stays until read when it is bad news. */
export function toast(tone, text) {
  const notice = document.createElement("div");
  notice.className = `notice notice-${tone}`;
  notice.setAttribute("role", tone === "bad" ? "alert" : "status");
  notice.textContent = text;
  document.getElementById("toasts").append(notice);
  setTimeout(() => notice.remove(), tone === "bad" ? 12_000 : 5_000);
}
