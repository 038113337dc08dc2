"""Every component in a real Chromium under the real CSP: a quiet console and no axe finding."""

import threading
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from werkzeug.serving import make_server

from tests.support.styleguide import create_styleguide_app

CHINA, GERMANY = "Asia/Shanghai", "Europe/Berlin"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_styleguide_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def open_page(
    browser: Browser, address: str, *, width: int = 1440, locale: str = "en-GB", zone: str = GERMANY
) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": width, "height": 900}, locale=locale, timezone_id=zone)
    complaints: list[str] = []

    def on_message(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", on_message)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    return page, complaints


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    page, complaints = open_page(chromium, address)
    yield page
    page.close()
    assert complaints == []


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", ["/", "/accounts/login"])
def test_looks(chromium: Browser, address: str, path: str, width: int, locale: str) -> None:
    page, complaints = open_page(chromium, address + path, width=width, locale=locale)
    if path == "/":
        for block in ("network", "stops", "flow"):
            page.locator(f"#{block}").scroll_into_view_if_needed()
            expect(page.locator(f"#{block} canvas").first).to_be_visible()
        expect(page.locator("#stops .map-cluster").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("document.documentElement.lang") == {"en-GB": "en", "zh-CN": "zh-Hans-CN"}[locale]
    found = [(finding["impact"], finding["id"]) for finding in Axe().run(page).response["violations"]]
    assert found == []
    page.close()
    assert complaints == []


def test_map_is_drawn_and_clusters_open(page: Page) -> None:
    stops = page.locator("#stops")
    stops.scroll_into_view_if_needed()
    cluster = stops.locator(".map-cluster").first
    expect(cluster).to_be_visible()
    counts = {int(text) for text in stops.locator(".map-cluster").all_inner_texts()}
    assert max(counts) > 100
    stops.locator(".map-cluster", has_text=str(max(counts))).click()
    expect(stops.locator(".map-cluster", has_text=str(max(counts)))).to_have_count(0)


def test_names_on_the_map_do_not_lie_on_each_other(page: Page) -> None:
    page.locator("#network").scroll_into_view_if_needed()
    labels = page.locator("#network .map-label:visible")
    expect(labels.filter(has_text="Wuhan")).to_have_count(1)
    expect(page.locator("#network .map-label[hidden]").first).to_be_attached()
    boxes = [label.bounding_box() for label in labels.all()]
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert one is not None
            assert other is not None
            apart_x = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
            apart_y = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
            assert apart_x or apart_y


def test_keys_move_through_rows_and_open_them(page: Page) -> None:
    page.locator("body").click(position={"x": 2, "y": 300})
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tr[data-row]").nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("tr[data-row]").nth(0)).to_be_focused()
    page.keyboard.press("e")
    page.wait_for_url("**/?edit=WH403921770800")
    page.locator("body").click(position={"x": 2, "y": 300})
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?open=WH403921770800")


def test_keys_search_and_help(page: Page) -> None:
    page.locator("body").click(position={"x": 2, "y": 300})
    page.keyboard.press("/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("j?e")
    expect(search).to_have_value("j?e")  # while somebody types, letters are letters
    search.blur()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_times_are_the_viewers_with_the_places_on_hover(chromium: Browser, address: str) -> None:
    for zone, listed, hover in (
        (GERMANY, "21 Nov, 07:03", "21 Nov 2026, 14:03 UTC+8"),
        (CHINA, "21 Nov, 14:03", "21 Nov 2026, 14:03 UTC+8"),
    ):
        page, _ = open_page(chromium, address, zone=zone)
        time = page.locator("tr[data-row] time").first
        expect(time).to_have_text(listed)
        expect(time).to_have_attribute("title", hover)
        expect(page.locator(".timeline-current time")).to_have_text("14:03")  # a timeline keeps the place's
        page.close()


def test_scanning_answers_and_takes_the_next(page: Page) -> None:
    field = page.get_by_label("Scan a waybill")
    for number, detail in (("WH1", "Jianghan outlet"), ("XX9", "Not a waybill number")):
        field.fill(number)
        field.press("Enter")
        expect(page.locator(".scan-headline")).to_have_text(number)
        expect(page.locator(".scan-detail")).to_contain_text(detail)
        expect(field).to_have_value("")
        expect(field).to_be_focused()


def test_dangerous_steps_ask_first(page: Page) -> None:
    book = page.locator("form[data-confirm] button[type=submit]")
    form = page.locator("form[data-confirm]")
    form.get_by_label("Consignee").fill("王小明")
    form.get_by_label("Phone").fill("13812345678")
    form.get_by_label("Weight").fill("1250")
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.method))
    book.click()
    dialog = page.get_by_role("dialog", name="Book this parcel?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert "POST" not in posted
    book.click()
    with page.expect_navigation():
        dialog.get_by_role("button", name="Book").click()
    assert posted.count("POST") == 1


def test_alpine_works_without_evaluating(page: Page) -> None:
    details = page.locator("#details")
    expect(details).to_be_hidden()
    page.get_by_role("button", name="Show details").click()
    expect(details).to_be_visible()
    page.get_by_role("button", name="Show details").click()
    expect(details).to_be_hidden()


def test_errors_answer_htmx_with_a_notice(chromium: Browser, address: str) -> None:
    page, complaints = open_page(chromium, address)
    page.get_by_role("button", name="Ask for what has changed").click()
    notice = page.locator("#part").get_by_role("alert")
    expect(notice).to_contain_text("This cannot be done as things stand")
    expect(page.locator("#part header")).to_have_count(0)
    page.close()
    assert all("409" in complaint for complaint in complaints)  # Chromium itself names the failed request


def test_an_unreachable_server_is_said(chromium: Browser, address: str) -> None:
    page, _ = open_page(chromium, address)
    page.route("**/scan", lambda route: route.abort())
    page.get_by_label("Scan a waybill").fill("WH1")
    page.get_by_label("Scan a waybill").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("The server was not reached")
    page.close()


def test_navigation_folds_on_a_phone(chromium: Browser, address: str) -> None:
    page, complaints = open_page(chromium, address, width=390)
    navigation = page.get_by_role("navigation", name="Main")
    expect(navigation).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(navigation.get_by_role("link", name="Shipments")).to_be_visible()
    expect(page.get_by_role("button", name="Menu")).to_have_attribute("aria-expanded", "true")
    page.close()
    assert complaints == []


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("width", [390, 768, 1024, 1200, 1280, 1440])
def test_the_top_bar_holds_every_role(chromium: Browser, address: str, width: int, locale: str) -> None:
    for rooms in (6, 13):
        page, _ = open_page(chromium, f"{address}/error/404?rooms={rooms}", width=width, locale=locale)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        bar = page.locator(".topbar").bounding_box()
        assert bar is not None
        assert bar["height"] < 115
        page.close()


def test_language_switch_keeps_the_address(page: Page, address: str) -> None:
    page.goto(f"{address}/?sort=weight")
    page.get_by_role("link", name="中文").click()
    assert page.url == f"{address}/?sort=weight"
    expect(page.locator("h1")).to_have_text("组件")
