"""The public page follows what happens to its parcel, and stays as it is where nobody tells it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from app.config import Settings
from app.factory import create_app
from tests.app.shipments.conftest import Desk, desk, new_desk
from tests.support.app import app, clock, new_tenant, settings
from tests.support.live import SECRET_KEY, Start, free_port, live_processes

__all__ = ["app", "clock", "desk", "new_desk", "new_tenant", "settings"]


@pytest.fixture(scope="module")
def live(database_url: str) -> Iterator[Start]:
    with live_processes(database_url, clients_max=10) as start:
        yield start


@pytest.fixture(scope="module")
def serve(database_url: str) -> Iterator[Callable[[str], str]]:
    """Serves the application that names an address of live updates; gives its own."""
    servers = []

    def start(live_url: str) -> str:
        settings = Settings(database_url=database_url, secret_key=SECRET_KEY, live_url=live_url)
        server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_page_shows_what_happens_while_it_is_open(
    chromium: Browser, desk: Desk, live: Start, serve: Callable[[str], str]
) -> None:
    port, _process = live()
    shipment = desk.book()
    life = desk.life(shipment)
    page = chromium.new_context(locale="en-GB").new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: troubles.append(line.text) if line.type == "error" else None)
    page.goto(f"{serve(f'http://127.0.0.1:{port}')}/track/{shipment.waybill_number}")
    expect(page.locator(".sentence")).to_contain_text("waiting for the courier")
    desk.record(life[0])
    expect(page.locator(".sentence")).to_contain_text("ollected from the sender", timeout=10_000)
    expect(page.locator(".timeline-current")).to_contain_text("Collected from sender")
    desk.record(*life[1:])
    expect(page.locator(".pill")).to_contain_text("Delivered", timeout=10_000)
    assert troubles == []
    page.context.close()


def test_a_page_stays_as_it_is_where_nobody_tells_it(
    chromium: Browser, desk: Desk, serve: Callable[[str], str]
) -> None:
    shipment = desk.book()
    page = chromium.new_context(locale="en-GB").new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"{serve(f'http://127.0.0.1:{free_port()}')}/track/{shipment.waybill_number}")
    page.wait_for_timeout(1_000)
    expect(page.locator(".sentence")).to_contain_text("waiting for the courier")
    assert troubles == []
    page.context.close()
