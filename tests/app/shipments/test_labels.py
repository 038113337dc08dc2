"""Labels scan back, hide what they must, and are one page a piece."""

from __future__ import annotations

import io

import pymupdf
import pytest
import zxingcpp
from apiflask import APIFlask
from PIL import Image

from app.shipments.labels import Label, label_of, label_pdf
from app.shipments.models import Shipment
from tests.app.shipments.conftest import Desk


def made(desk: Desk, app: APIFlask, shipment: Shipment) -> tuple[Label, pymupdf.Document]:
    with app.app_context(), desk.database.unit_of_work(desk.logins.tenant_id) as session:
        label = label_of(session, shipment, public_url="https://parcels.example/")
        return label, pymupdf.open(stream=label_pdf(label), filetype="pdf")


def read(page: pymupdf.Page) -> dict[str, str]:
    """What a scanner reads off a page printed at 203 dpi, by kind of code."""
    image = Image.open(io.BytesIO(page.get_pixmap(dpi=203).tobytes("png")))
    return {code.format.name: code.text for code in zxingcpp.read_barcodes(image)}


@pytest.mark.parametrize("pieces", [1, 3])
def test_every_piece_has_a_page_that_scans_back(desk: Desk, app: APIFlask, pieces: int) -> None:
    shipment = desk.book(pieces=pieces)
    _label, document = made(desk, app, shipment)
    assert len(document) == pieces
    for place, page in enumerate(document, start=1):
        assert (round(page.rect.width * 25.4 / 72), round(page.rect.height * 25.4 / 72)) == (100, 150)
        codes = read(page)
        number = shipment.waybill_number
        assert codes["Code128"] == (number if pieces == 1 else f"{number}-{place:03d}")
        assert codes["QRCode"] == f"https://parcels.example/track/{number}"
        assert f"{place}/{pieces}" in page.get_text()


def test_a_label_shows_the_way_and_hides_the_person(desk: Desk, app: APIFlask) -> None:
    shipment = desk.book(cod_minor=8800)
    label, document = made(desk, app, shipment)
    text = document[0].get_text()
    assert label.route == ("CTU-01", "WUH-HUB", "HGH-HUB", "HGH-01")
    assert "CTU-01 - WUH-HUB - HGH-HUB - HGH-01" in text
    assert "88.00" in text
    assert "杭州市" in text
    assert "李**" in text
    for hidden in ("李小梅", "13912345678", "5678", "张伟", "1801"):
        assert hidden not in text


def test_without_cash_there_is_no_mark(desk: Desk, app: APIFlask) -> None:
    label, _document = made(desk, app, desk.book())
    assert label.cod is None


def test_chinese_letters_are_drawn(desk: Desk, app: APIFlask) -> None:
    """Each of the letters 杭州市 leaves ink; a missing glyph would leave a blank or the same box thrice."""
    _label, document = made(desk, app, desk.book())
    page = document[0]
    (box,) = page.search_for("杭州市")
    pixels = page.get_pixmap(clip=box, dpi=300)
    image = Image.open(io.BytesIO(pixels.tobytes("png"))).convert("L")
    third = image.width // 3
    letters = [
        image.crop((place * third, 0, (place + 1) * third, image.height)).tobytes() for place in range(3)
    ]
    assert len(set(letters)) == 3
    assert all(min(letter) < 80 for letter in letters)
