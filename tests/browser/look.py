"""Looking at a page as a picky visitor does: one helper for every page that these tests open."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    expect,
)

SCREENSHOTS = os.environ.get("WHEELHOUSE_SCREENSHOTS")
_TIMEOUT_MS = 30_000  # for a machine that has much else to do
expect.set_options(timeout=_TIMEOUT_MS)
_LINE_DOWN = "net::ERR_INTERNET_DISCONNECTED"  # only a test that takes the line away brings it about
_LANGUAGES = {"zh-CN": "zh-Hans-CN", "en-GB": "en"}
# What Chromium itself says of an answer that a test asked for, such as a form that is refused with 422.
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
# Text or a control that lies outside the window and that no scrolling part of the page holds.
_CUT = """() => {
  const width = document.documentElement.clientWidth;
  const scrolls = (node) => {
    for (; node && node !== document.body; node = node.parentElement)
      if (/(auto|scroll|hidden|clip)/.test(getComputedStyle(node).overflowX)) return true;
    return false;
  };
  return [...document.querySelectorAll("main *")].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && box.right > width + 1 && !scrolls(node);
  }).map((node) => node.outerHTML.slice(0, 120));
}"""
_AXE = Axe()
_AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}  # every style is our own


@dataclass(frozen=True, slots=True)
class View:
    """How wide the window is, and which language its owner reads."""

    width: int
    locale: str

    @property
    def name(self) -> str:
        return f"{self.locale[:2]}-{self.width}"

    @property
    def chinese(self) -> bool:
        return self.locale.startswith("zh")

    def words(self, english: str, chinese: str) -> str:
        """What the page says to this visitor."""
        return chinese if self.chinese else english


VIEWS = tuple(View(width, locale) for locale in ("zh-CN", "en-GB") for width in (1440, 390))


@dataclass
class Visitor:
    """Somebody with a browser of his own; what it complains about is kept until somebody looks."""

    context: BrowserContext
    page: Page
    view: View
    clock: Callable[[], datetime]
    complaints: list[str] = field(default_factory=list)

    def open(self, url: str) -> Page:
        """Open an address; it must answer 200. The browser's clock is set to the server's."""
        self.page.clock.set_system_time(self.clock())
        answer = self.page.goto(url)
        assert answer is not None
        assert answer.status == 200, f"{url}: {answer.status}"
        return self.page

    def _on_console(self, message: ConsoleMessage) -> None:
        told = message.type in ("error", "warning") and _LINE_DOWN not in message.text
        if told and not _REFUSED.match(message.text):
            self.complaints.append(f"console: {message.text}")

    def _on_failed(self, request: Request) -> None:
        # What a page had asked for when it was left, and what became a download, are no failures.
        if request.failure not in ("net::ERR_ABORTED", _LINE_DOWN):
            self.complaints.append(f"failed: {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        refused_form = response.request.method == "POST" and response.status == 422
        if response.status >= 400 and not refused_form:
            self.complaints.append(f"{response.status}: {response.request.method} {response.url}")

    def press(self, form: str, *, value: str | None = None) -> None:
        """Send a form, saying yes where the page asks whether it is meant; wait for the page that answers."""
        wanted = self.page.locator(form)
        button = wanted.locator("button[type=submit]" if value is None else f"button[value={value}]")
        asks = wanted.get_attribute("data-confirm") is not None
        with self.page.expect_navigation():
            button.click()
            if asks:
                self.page.locator("#confirm [data-yes]").click()

    def fill_in(self, form: Mapping[str, str]) -> None:
        """Give the fields of the page these values, by their names."""
        for name, value in form.items():
            control = self.page.locator(f"main [name={name}]")
            kind = control.first.evaluate("node => node.type")
            if kind == "radio":
                self.page.locator(f"main [name={name}][value={value}]").check()
            elif kind.startswith("select"):
                control.select_option(value)
            else:
                control.fill(value)

    def reload_until(self, selector: str) -> Locator:
        """Look again until what another process brings about is there."""
        found = self.page.locator(selector)
        for _again in range(60):
            if found.count():
                return found
            self.page.reload()
            self.page.wait_for_load_state("load")
        raise AssertionError(f"{selector} did not come to {self.page.url}")

    def listen(self) -> None:
        self.page.set_default_timeout(_TIMEOUT_MS)
        self.page.set_default_navigation_timeout(_TIMEOUT_MS)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("requestfailed", self._on_failed)
        self.page.on("response", self._on_response)


def visit(browser: Browser, address: str, view: View, clock: Callable[[], datetime]) -> Visitor:
    """A visitor whom nobody knows yet."""
    context = browser.new_context(
        base_url=address,
        viewport={"width": view.width, "height": 900 if view.width > 800 else 844},
        locale=view.locale,
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",  # a colour halfway through a change has no contrast to be measured
    )
    visitor = Visitor(context, context.new_page(), view, clock)
    visitor.listen()
    return visitor


def look(visitor: Visitor, name: str) -> None:
    """The page as it stands must be quiet, whole, in the visitor's language, and readable to everybody.

    Args:
        visitor: Whose page is looked at.
        name: The picture's name, where WHEELHOUSE_SCREENSHOTS names a folder for pictures.
    """
    page, view = visitor.page, visitor.view
    page.wait_for_load_state("load")
    for picture in page.locator("main [data-map]:visible").all():
        picture.scroll_into_view_if_needed()  # maps are drawn when they come into view
        expect(picture).to_have_attribute("data-drawn", "yes")
    if SCREENSHOTS:
        folder = Path(SCREENSHOTS)
        folder.mkdir(parents=True, exist_ok=True)
        page.evaluate("scrollTo(0, 0)")  # or the bar that stays in view would lie across the picture
        page.screenshot(path=folder / f"{name}-{view.name}.png", full_page=True)
    where = f"{name} ({view.name}) at {page.url}"
    assert visitor.complaints == [], where
    assert page.evaluate("document.documentElement.lang") == _LANGUAGES[view.locale], where
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"too wide: {where}"
    assert page.evaluate(_CUT) == [], f"cut off: {where}"
    findings = [
        (finding["impact"], finding["id"], [node["html"][:200] for node in finding["nodes"]])
        for finding in _AXE.run(page, options=_AXE_OPTIONS).response["violations"]
    ]
    assert findings == [], where
    assert visitor.complaints == [], where


def is_kept(page: Page, name: str) -> bool:
    """Whether a page's own worker has begun, and has kept the page for the next time without a line.

    Playwright's own way of waiting for a condition evaluates text in the page, which the policy forbids.
    """
    return page.evaluate(_KEPT, name) == [True, True]


# The worker of the page is there for the next time it is opened, and has kept it.
_KEPT = """async (name) => {
  const active = async () => (await navigator.serviceWorker.ready).active.state === "activated";
  const keys = async () => (await caches.open(name)).keys();
  const kept = async () => (await keys()).some(({ url }) => url.endsWith(`/${name}`));
  for (let look = 0; look < 200; look++) {
    if ((await active()) && (await kept())) return [true, true];
    await new Promise((go) => setTimeout(go, 100));
  }
  return [await active(), await kept()];
}"""
