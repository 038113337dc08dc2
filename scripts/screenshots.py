# ruff: noqa: T201 - a command line tells its user what it does
"""Takes the pictures of the documentation from a running demo: `python scripts/screenshots.py`.

Start `make run` first. Needs the developers' packages (`make setup-dev`) and Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PASSWORD = "wheelhouse demo"  # noqa: S105 - printed by `make run`


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as one role sees it."""

    name: str
    path: str
    username: str
    locale: str = "en-GB"
    width: int = 1440
    height: int = 900


PICTURES = (
    Picture("home", "/", "dispatcher"),
    Picture("board", "/dispatch", "dispatcher"),
    Picture("network", "/network", "dispatcher"),
    Picture("orders", "/orders", "finance"),
    Picture("cases", "/cases", "agent"),
    Picture("home-zh", "/", "agent", locale="zh-CN"),
    Picture("home-phone", "/", "dispatcher", width=390, height=844),
)


def take(browser: Browser, address: str, picture: Picture) -> None:
    """Sign in, open the page, wait until it is quiet, keep what it looks like."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        locale=picture.locale,
        timezone_id="Asia/Shanghai",
    )
    page = context.new_page()
    page.goto(f"{address}/login")
    page.locator("[name=username]").fill(picture.username)
    page.locator("[name=password]").fill(PASSWORD)
    with page.expect_navigation():
        page.locator("[name=password]").press("Enter")
    answer = page.goto(f"{address}{picture.path}", wait_until="networkidle")
    if answer is None or not answer.ok:
        raise SystemExit(f"{picture.path} answered {'nothing' if answer is None else answer.status}")
    page.wait_for_timeout(1500)  # maps and charts draw themselves
    page.screenshot(path=IMAGES / f"{picture.name}.png")
    context.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Take the pictures of the documentation.")
    parser.add_argument("names", nargs="*", help="of some pictures only")
    parser.add_argument("--address", default="http://127.0.0.1:8000")
    given = parser.parse_args()
    chosen = [picture for picture in PICTURES if not given.names or picture.name in given.names]
    unknown = set(given.names) - {picture.name for picture in PICTURES}
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if unknown or program is None:
        sys.exit(f"no picture is called {', '.join(unknown)}" if unknown else "Chromium is not installed")
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        # WebGL in software, so that maps are drawn on machines without a graphics card.
        arguments = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        for picture in chosen:
            take(browser, given.address, picture)
            print(f"{picture.name}: {picture.path} as {picture.username}")
        browser.close()


if __name__ == "__main__":
    main()
