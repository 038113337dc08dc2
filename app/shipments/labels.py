"""The label of each piece: 100 x 150 mm, a Code 128 of its number, a QR code of the tracking page.

Names, phones and addresses are masked as China's express waybill standard asks: at least one character of
the name, six digits of the phone, the unit and the room. Words are Chinese: handlers read them.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from flask_babel import gettext as _
from reportlab.graphics import renderPDF
from reportlab.graphics.barcode import code128, qr
from reportlab.graphics.shapes import Drawing
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy.orm import Session

from app.customers.identities import local_phone
from app.formatting import money, weight
from app.i18n import in_language
from app.masking import mask_address, mask_name, mask_phone
from app.network.models import District
from app.shipments import queries
from app.shipments.models import Shipment
from app.shipments.values import label_number
from app.shipments.words import HANDOVERS, SERVICES
from routing.network import FacilityKind

PAGE = (100 * mm, 150 * mm)
_MARGIN = 5 * mm
_RIGHT = PAGE[0] - _MARGIN
# An Adobe CID font: every PDF viewer brings its glyphs, so labels stay small.
_FONT = "STSong-Light"
_BOLD = "Helvetica-Bold"
_BAR_WIDTH = 0.42 * mm

pdfmetrics.registerFont(UnicodeCIDFont(_FONT))


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
            _("Collect %(amount)s", amount=money(shipment.cod_minor, shipment.currency))
            if shipment.cod_minor
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


def _masked(name: str, phone: str, district: District, address: str) -> tuple[str, str]:
    """Who, and where."""
    who = f"{mask_name(name)}  {mask_phone(local_phone(phone))}"
    return who, f"{district.city_name}{district.name}{mask_address(address)}"


def _draw(canvas: Canvas, label: Label, piece_no: int) -> None:
    top = PAGE[1] - _MARGIN
    canvas.setFont(_BOLD, _size_that_fits(" - ".join(label.route), _BOLD, 22, _RIGHT - _MARGIN))
    canvas.drawString(_MARGIN, top - 8 * mm, " - ".join(label.route))
    canvas.setFont(_FONT, 12)
    canvas.drawString(_MARGIN, top - 14 * mm, f"{label.service}  {label.handover}")
    canvas.setFont(_BOLD, 14)
    canvas.drawRightString(_RIGHT, top - 14 * mm, f"{piece_no}/{label.pieces}")
    _rule(canvas, top - 17 * mm)

    number = label_number(label.waybill_number, piece_no, label.pieces)
    bars = code128.Code128(number, barWidth=_BAR_WIDTH, barHeight=20 * mm)
    bars.drawOn(canvas, (PAGE[0] - bars.width) / 2, top - 39 * mm)
    canvas.setFont(_BOLD, 13)
    canvas.drawCentredString(PAGE[0] / 2, top - 45 * mm, number)
    _rule(canvas, top - 48 * mm)

    _end(canvas, top - 48 * mm, _("Ship to"), label.consignee, 13)
    _rule(canvas, top - 74 * mm)
    _end(canvas, top - 74 * mm, _("Ship from"), label.sender, 10)
    _rule(canvas, top - 96 * mm)
    _foot(canvas, label, top - 96 * mm)


def _end(canvas: Canvas, top: float, word: str, end: tuple[str, str], size: int) -> None:
    canvas.setFont(_FONT, size + 2)
    canvas.drawString(_MARGIN, top - 7 * mm, word)
    canvas.drawString(_MARGIN + 12 * mm, top - 7 * mm, end[0])
    canvas.setFont(_FONT, size)
    lines = simpleSplit(end[1], _FONT, size, _RIGHT - _MARGIN - 12 * mm)[:3]
    for place, line in enumerate(lines):
        canvas.drawString(_MARGIN + 12 * mm, top - 13 * mm - place * (size + 3), line)


def _foot(canvas: Canvas, label: Label, top: float) -> None:
    code = qr.QrCodeWidget(label.tracking_url, barLevel="M")
    left, bottom, right, upper = code.getBounds()
    side = 36 * mm
    drawing = Drawing(side, side, transform=[side / (right - left), 0, 0, side / (upper - bottom), 0, 0])
    drawing.add(code)
    renderPDF.draw(drawing, canvas, _RIGHT - side, top - side - 3 * mm)
    canvas.setFont(_FONT, 11)
    canvas.drawString(_MARGIN, top - 7 * mm, label.weight)
    for place, line in enumerate(simpleSplit(label.goods, _FONT, 11, 46 * mm)[:2]):
        canvas.drawString(_MARGIN, top - 13 * mm - place * 14, line)
    if label.cod is not None:
        canvas.setFont(_FONT, _size_that_fits(label.cod, _FONT, 16, 44 * mm))
        canvas.rect(_MARGIN, top - 33 * mm, 48 * mm, 9 * mm)
        canvas.drawString(_MARGIN + 2 * mm, top - 30 * mm, label.cod)
    canvas.setFont(_FONT, 8)
    canvas.drawString(_MARGIN, top - 43 * mm, label.tracking_url)


def _rule(canvas: Canvas, height: float) -> None:
    canvas.setLineWidth(0.4)
    canvas.line(_MARGIN, height, _RIGHT, height)


def _size_that_fits(text: str, font: str, size: float, width: float) -> float:
    actual = pdfmetrics.stringWidth(text, font, size)
    return size if actual <= width else size * width / actual
