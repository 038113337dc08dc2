"""The label of each piece: 100 x 150 mm, a Code 128 of its number, a QR code of the tracking page.

On PDF, or as ZPL for a label printer. Names, phones and addresses are masked as China's express waybill
standard asks: at least one character of the name, six digits of the phone, the unit and the room. Words are
Chinese: handlers read them.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from flask_babel import gettext as _
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy.orm import Session

from app.customers.identities import local_phone
from app.formatting import money, weight
from app.i18n import in_language
from app.masking import mask_address, mask_name, mask_phone
from app.network.models import District
from app.shipments import queries
from app.shipments.label_drawing import (
    BOLD,
    FONT,
    MARGIN,
    PAGE,
    RIGHT,
    draw_bars,
    draw_qr,
    rule,
    size_that_fits,
)
from app.shipments.models import Shipment
from app.shipments.values import label_number
from app.shipments.words import HANDOVERS, SERVICES
from app.shipments.zpl import MARGIN as EDGE
from app.shipments.zpl import WIDTH, ZplLabel
from routing.network import FacilityKind


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on the labels of a shipment, masked and worded."""

    waybill_number: str
    pieces: int
    route: tuple[str, ...]
    service: str
    handover: str
    weight: str
    goods: str
    sender: tuple[str, str]
    consignee: tuple[str, str]
    cod: str | None
    tracking_url: str


def label_of(session: Session, shipment: Shipment, *, public_url: str) -> Label:
    """Gather what the labels of a shipment say; needs an application context for its words."""
    stops = [shipment.origin_facility_id, *(leg.to_facility_id for leg in queries.legs_of(session, shipment))]
    places = queries.facilities(session, stops)
    between = [places[stop].code for stop in stops[1:-1] if places[stop].kind is FacilityKind.HUB]
    ends = queries.districts(session, [shipment.sender_district_adcode, shipment.consignee_district_adcode])
    start, end = ends[shipment.sender_district_adcode], ends[shipment.consignee_district_adcode]
    with in_language("zh"):
        return Label(
            shipment.waybill_number,
            shipment.pieces,
            tuple(dict.fromkeys((places[stops[0]].code, *between, places[stops[-1]].code))),
            str(SERVICES[shipment.service]),
            str(HANDOVERS[shipment.delivery_handover]),
            weight(shipment.weight_g),
            shipment.goods,
            _masked(shipment.sender_name, shipment.sender_phone, start, shipment.sender_address),
            _masked(shipment.consignee_name, shipment.consignee_phone, end, shipment.consignee_address),
            _("Collect %(amount)s", amount=money(shipment.due_at_door_minor, shipment.currency))
            if shipment.due_at_door_minor
            else None,
            f"{public_url.rstrip('/')}/track/{shipment.waybill_number}",
        )


def label_pdf(label: Label) -> bytes:
    """The labels of all pieces as a PDF, one page each; needs an application context for its words."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=PAGE, invariant=True)
    canvas.setTitle(label.waybill_number)
    with in_language("zh"):
        for piece_no in range(1, label.pieces + 1):
            _draw(canvas, label, piece_no)
            canvas.showPage()
    canvas.save()
    return target.getvalue()


def label_zpl(label: Label, *, font: str) -> str:
    """The labels of all pieces in ZPL, one after the other; needs an application context for its words.

    Args:
        label: what stands on them.
        font: the printer's font for Chinese, such as `E:SIMSUN.TTF`.
    """
    with in_language("zh"):
        return "".join(_zpl(label, piece_no, font) for piece_no in range(1, label.pieces + 1))


def _zpl(label: Label, piece_no: int, font: str) -> str:
    made = ZplLabel(font)
    made.text(EDGE, 40, 52, " - ".join(label.route))
    made.text(EDGE, 110, 34, f"{label.service}  {label.handover}", width=560)
    made.text(WIDTH - EDGE - 140, 110, 40, f"{piece_no}/{label.pieces}", width=140)
    made.rule(165)
    number = label_number(label.waybill_number, piece_no, label.pieces)
    made.code128(185, 150, number)
    made.text(220, 348, 36, number, width=400)
    made.rule(405)
    _zpl_end(made, 420, _("Ship to"), label.consignee, 36)
    made.rule(620)
    _zpl_end(made, 635, _("Ship from"), label.sender, 28)
    made.rule(800)
    made.text(EDGE, 830, 32, label.weight, width=380)
    made.text(EDGE, 880, 32, label.goods, width=380, lines=2)
    if label.cod is not None:
        made.text(EDGE, 980, 48, label.cod, width=380)
    made.text(EDGE, 1130, 22, label.tracking_url)
    made.qr(WIDTH - EDGE - 290, 825, label.tracking_url, side=290)
    return made.done()


def _zpl_end(made: ZplLabel, top: int, word: str, end: tuple[str, str], size: int) -> None:
    made.text(EDGE, top, size, word, width=100)
    made.text(EDGE + 100, top, size, end[0], width=600)
    made.text(EDGE + 100, top + size + 14, size - 4, end[1], width=600, lines=3)


def _masked(name: str, phone: str, district: District, address: str) -> tuple[str, str]:
    """Who, and where."""
    who = f"{mask_name(name)}  {mask_phone(local_phone(phone))}"
    return who, f"{district.city_name}{district.name}{mask_address(address)}"


def _draw(canvas: Canvas, label: Label, piece_no: int) -> None:
    top = PAGE[1] - MARGIN
    canvas.setFont(BOLD, size_that_fits(" - ".join(label.route), BOLD, 22, RIGHT - MARGIN))
    canvas.drawString(MARGIN, top - 8 * mm, " - ".join(label.route))
    canvas.setFont(FONT, 12)
    canvas.drawString(MARGIN, top - 14 * mm, f"{label.service}  {label.handover}")
    canvas.setFont(BOLD, 14)
    canvas.drawRightString(RIGHT, top - 14 * mm, f"{piece_no}/{label.pieces}")
    rule(canvas, top - 17 * mm)

    number = label_number(label.waybill_number, piece_no, label.pieces)
    draw_bars(canvas, number, PAGE[0] / 2, top - 39 * mm, 20 * mm)
    canvas.setFont(BOLD, 13)
    canvas.drawCentredString(PAGE[0] / 2, top - 45 * mm, number)
    rule(canvas, top - 48 * mm)

    _end(canvas, top - 48 * mm, _("Ship to"), label.consignee, 13)
    rule(canvas, top - 74 * mm)
    _end(canvas, top - 74 * mm, _("Ship from"), label.sender, 10)
    rule(canvas, top - 96 * mm)
    _foot(canvas, label, top - 96 * mm)


def _end(canvas: Canvas, top: float, word: str, end: tuple[str, str], size: int) -> None:
    canvas.setFont(FONT, size + 2)
    canvas.drawString(MARGIN, top - 7 * mm, word)
    canvas.drawString(MARGIN + 12 * mm, top - 7 * mm, end[0])
    canvas.setFont(FONT, size)
    lines = simpleSplit(end[1], FONT, size, RIGHT - MARGIN - 12 * mm)[:3]
    for place, line in enumerate(lines):
        canvas.drawString(MARGIN + 12 * mm, top - 13 * mm - place * (size + 3), line)


def _foot(canvas: Canvas, label: Label, top: float) -> None:
    side = 36 * mm
    draw_qr(canvas, label.tracking_url, RIGHT - side, top - side - 3 * mm, side)
    canvas.setFont(FONT, 11)
    canvas.drawString(MARGIN, top - 7 * mm, label.weight)
    for place, line in enumerate(simpleSplit(label.goods, FONT, 11, 46 * mm)[:2]):
        canvas.drawString(MARGIN, top - 13 * mm - place * 14, line)
    if label.cod is not None:
        canvas.setFont(FONT, size_that_fits(label.cod, FONT, 16, 44 * mm))
        canvas.rect(MARGIN, top - 33 * mm, 48 * mm, 9 * mm)
        canvas.drawString(MARGIN + 2 * mm, top - 30 * mm, label.cod)
    canvas.setFont(FONT, 8)
    canvas.drawString(MARGIN, top - 43 * mm, label.tracking_url)
