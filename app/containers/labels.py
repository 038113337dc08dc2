"""What is stuck on a container, and the list that is handed over with it.

The label is 100 x 150 mm, on PDF or as ZPL; the list is on A4 with what is inside over as many pages as it
takes, each with the container's number as a barcode. Words are Chinese: handlers read them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy.orm import Session

from app.containers import queries
from app.containers.words import KINDS
from app.formatting import datetime_local
from app.i18n import in_language
from app.network.models import Facility
from app.pagination import LIMIT_MAX
from app.shipments import queries as shipments
from app.shipments.container_models import Container
from app.shipments.label_drawing import BOLD, FONT, MARGIN, PAGE, draw_bars, draw_qr, rule, size_that_fits
from app.shipments.zpl import DOTS_A_MM, WIDTH, ZplLabel
from app.shipments.zpl import MARGIN as EDGE
from tracking.numbers import is_sscc

_COLUMNS, _ROWS = 4, 60
_TOP, _LINE = A4[1] - 62 * mm, 3.8 * mm


@dataclass(frozen=True, slots=True)
class ContainerLabel:
    """What stands on a container: in words, and its number."""

    number: str
    kind: str
    way: tuple[str, str]
    names: tuple[str, str]
    facts: tuple[tuple[str, str], ...]


def container_label_of(session: Session, container: Container) -> ContainerLabel:
    """Gather what the label of a container says; needs an application context for its words."""
    places = shipments.facilities(session, [container.from_facility_id, container.to_facility_id])
    start = places[container.from_facility_id]
    end = None if container.to_facility_id is None else places[container.to_facility_id]
    counts = queries.counts(session, [container.id])[container.id]
    with in_language("zh"):
        facts = [
            (_("Inside"), str(counts.expected)),
            (_("Seal number"), container.seal_number or "-"),
            (_("Vehicle"), container.vehicle or "-"),
            (_("Opened"), _local(container.opened_at, start)),
            (_("Leaves"), "-" if container.departs_at is None else _local(container.departs_at, start)),
        ]
        return ContainerLabel(
            container.number,
            str(KINDS[container.kind]),
            (start.code, "" if end is None else end.code),
            (start.name, str(_("Anywhere")) if end is None else end.name),
            tuple((str(word), value) for word, value in facts),
        )


def numbers_inside(session: Session, container: Container) -> Iterator[str]:
    """What is on a container's list, in the order of packing, page by page; what was surplus is not."""
    cursor: str | None = None
    while True:
        page = queries.list_items(session, container.id, cursor, LIMIT_MAX)
        yield from (one.number for one in page.rows if not one.surplus)
        cursor = page.next_cursor
        if cursor is None:
            return


def label_pdf(label: ContainerLabel) -> bytes:
    """The label as a PDF of one page; needs an application context for its words."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=PAGE, invariant=True)
    canvas.setTitle(label.number)
    top = PAGE[1] - MARGIN
    canvas.setFont(FONT, 22)
    canvas.drawString(MARGIN, top - 9 * mm, label.kind)
    end = label.way[1] or "***"
    canvas.setFont(BOLD, size_that_fits(end, BOLD, 44, 60 * mm))
    canvas.drawRightString(PAGE[0] - MARGIN, top - 12 * mm, end)
    canvas.setFont(FONT, 13)
    canvas.drawString(MARGIN, top - 20 * mm, f"{label.names[0]} → {label.names[1]}")
    rule(canvas, top - 24 * mm)
    draw_bars(canvas, label.number, PAGE[0] / 2, top - 58 * mm, 30 * mm)
    canvas.setFont(BOLD, 15)
    canvas.drawCentredString(PAGE[0] / 2, top - 65 * mm, printed(label.number))
    rule(canvas, top - 69 * mm)
    for place, (word, value) in enumerate(label.facts):
        canvas.setFont(FONT, 12)
        canvas.drawString(MARGIN, top - 77 * mm - place * 8 * mm, word)
        canvas.setFont(FONT, size_that_fits(value, FONT, 14, 34 * mm))
        canvas.drawString(MARGIN + 20 * mm, top - 77 * mm - place * 8 * mm, value)
    side = 34 * mm
    draw_qr(canvas, label.number, PAGE[0] - MARGIN - side, top - 72 * mm - side, side)
    canvas.showPage()
    canvas.save()
    return target.getvalue()


def label_zpl(label: ContainerLabel, *, font: str) -> str:
    """The label in ZPL.

    Args:
        label: what stands on it.
        font: the printer's font for Chinese, such as `E:SIMSUN.TTF`.
    """
    made = ZplLabel(font)
    made.text(EDGE, 40, 60, label.kind, width=260)
    made.text(EDGE + 280, 40, 80, label.way[1] or "***", width=440)
    made.text(EDGE, 140, 34, f"{label.names[0]} > {label.names[1]}")
    made.rule(200)
    if is_sscc(label.number):
        made.sscc(230, 240, label.number)
    else:
        made.code128(230, 240, label.number)
    made.text(EDGE + 200, 485, 40, printed(label.number), width=500)
    made.rule(540)
    for place, (word, value) in enumerate(label.facts):
        made.text(EDGE, 570 + place * 60, 32, word, width=150)
        made.text(EDGE + 160, 570 + place * 60, 32, value, width=260)
    side = 34 * DOTS_A_MM
    made.qr(WIDTH - EDGE - side, 570, label.number, side=side)
    return made.done()


def list_pdf(label: ContainerLabel, numbers: Sequence[str]) -> bytes:
    """The list of what is inside on A4, with a box before each to tick; needs an application context."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=True)
    canvas.setTitle(label.number)
    a_page = _COLUMNS * _ROWS
    pages = [numbers[start : start + a_page] for start in range(0, len(numbers), a_page)] or [[]]
    with in_language("zh"):
        for page_no, some in enumerate(pages, start=1):
            _head(canvas, label, page_no, len(pages), len(numbers))
            for place, number in enumerate(some):
                column, row = divmod(place, _ROWS)
                left, height = 15 * mm + column * 46 * mm, _TOP - row * _LINE
                canvas.rect(left, height - 0.5 * mm, 2.4 * mm, 2.4 * mm)
                canvas.setFont("Helvetica", 8)
                canvas.drawString(left + 4 * mm, height, f"{(page_no - 1) * a_page + place + 1:>5}  {number}")
            canvas.showPage()
    canvas.save()
    return target.getvalue()


def printed(number: str) -> str:
    """A container's number as people read it: an SSCC with its identifier."""
    return f"(00) {number}" if is_sscc(number) else number


def _head(canvas: Canvas, label: ContainerLabel, page_no: int, pages: int, count: int) -> None:
    top = A4[1] - 15 * mm
    canvas.setFont(FONT, 18)
    canvas.drawString(15 * mm, top - 5 * mm, f"{label.kind}  {label.names[0]} → {label.names[1]}")
    canvas.setFont(FONT, 10)
    text = "   ".join(f"{word} {value}" for word, value in label.facts)
    canvas.drawString(15 * mm, top - 12 * mm, text)
    canvas.drawString(15 * mm, top - 18 * mm, _("Things on the list: %(count)s", count=count))
    canvas.drawRightString(
        A4[0] - 15 * mm, top - 18 * mm, _("Page %(page)s of %(pages)s", page=page_no, pages=pages)
    )
    draw_bars(canvas, label.number, A4[0] / 2, top - 36 * mm, 14 * mm)
    canvas.setFont(BOLD, 11)
    canvas.drawCentredString(A4[0] / 2, top - 41 * mm, printed(label.number))
    canvas.setLineWidth(0.4)
    canvas.line(15 * mm, top - 43 * mm, A4[0] - 15 * mm, top - 43 * mm)


def _local(moment: datetime, place: Facility) -> str:
    return str(datetime_local(moment, place.utc_offset_minutes, "short"))
