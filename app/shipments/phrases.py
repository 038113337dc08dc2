"""A shipment's story in the words of the page: its sentence, its times and places, its timeline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.formatting import datetime_local, duration
from app.network.labels import city_name
from app.network.models import Facility
from app.shipments.finding_models import ShipmentFinding
from app.shipments.models import Shipment
from app.shipments.rounds import CourierComes
from app.shipments.story import Event, Story, Window
from app.shipments.words import CODES, FINDINGS, SENTENCES, reason_text
from tracking.sentence import Sentence
from tracking.shipment import Milestone, ScanCode

Place = Callable[[Facility], str]

TONES = {
    ScanCode.DELIVERED: "ok",
    ScanCode.DELIVERED_TO_PROXY: "ok",
    ScanCode.TAKEN_FROM_POINT: "ok",
    ScanCode.TAKEN_FROM_LOCKER: "ok",
    ScanCode.RECEIPT_CONFIRMED: "ok",
    ScanCode.DAMAGED: "bad",
    ScanCode.LOST: "bad",
    ScanCode.MISSORTED: "warn",
    ScanCode.DELAYED: "warn",
    ScanCode.HELD: "warn",
    ScanCode.REFUSED: "warn",
    ScanCode.ATTEMPT_FAILED: "warn",
    ScanCode.PICKUP_FAILED: "warn",
    ScanCode.RETURNING: "warn",
}


COURIER_COMES = {
    Milestone.BOOKED: _l("The courier collects it"),
    Milestone.OUT_FOR_DELIVERY: _l("The courier brings it"),
}


def city_of(facility: Facility) -> str:
    """The city of a facility: all that everybody may know of a parcel's whereabouts."""
    return city_name(facility.district)


def window_text(window: Window, offset_minutes: int) -> str:
    """A window in local time: `Tue 3 Mar 2026, 14:00 to 16:00`."""
    start, end = window
    return str(
        _(
            "%(day)s, %(start)s to %(end)s",
            day=datetime_local(start, offset_minutes, "date"),
            start=datetime_local(start, offset_minutes, "time"),
            end=datetime_local(end, offset_minutes, "time"),
        )
    )


def courier_words(comes: CourierComes, milestone: Milestone, offset_minutes: int) -> tuple[str, str]:
    """What the courier on his way will do, and when: `14:20 to 14:45, 3 stops away`."""
    window = window_text((comes.from_at, comes.to_at), offset_minutes)
    words = window if comes.stops_away is None else f"{window} · {away_text(comes.stops_away)}"
    return str(COURIER_COMES[milestone]), words


def away_text(stops_away: int) -> str:
    """How many stops a courier makes before."""
    if stops_away == 0:
        return str(_("you are next"))
    return str(ngettext("%(num)s stop away", "%(num)s stops away", stops_away))


def sentence_text(story: Story, place: Place) -> str:
    """The status of a shipment in one sentence, with a capital in front and a full stop behind."""
    clauses = [_clause(part, story, place) for part in story.sentence]
    text = _("; ").join(clause for clause in clauses if clause)
    return str(_("%(sentence)s.", sentence=text[:1].upper() + text[1:]))


def timeline_rows(story: Story, place: Place, *, detailed: bool) -> list[dict[str, Any]]:
    """The rows of the `timeline` macro; without details, what is told to everybody: city, status and time."""
    shown = [event for event in story.events if detailed or not _only_for_us(event)]
    return [_row(event, story, place, detailed=detailed) for event in shown]


def finding_text(finding: ShipmentFinding, now: datetime) -> dict[str, Any]:
    """A finding's name, what it means, and for how long it has been so."""
    title, meaning = FINDINGS[finding.kind]
    until = finding.closed_at or now
    return {
        "title": title,
        "meaning": meaning,
        "opened_at": finding.opened_at,
        "closed_at": finding.closed_at,
        "lasts": duration(max(0, int((until - finding.opened_at).total_seconds()))),
    }


def local_window(shipment: Shipment) -> str:
    """What the customer was told at booking."""
    return window_text((shipment.promised_from_at, shipment.promised_to_at), shipment.booked_offset_minutes)


def _clause(part: Sentence, story: Story, place: Place) -> str:
    values = part.parameters
    shipment = story.shipment
    words: dict[str, str] = {}
    if part.key == "arrives":
        start, end = values["from"], values["to"]
        assert isinstance(start, datetime), "the window is made of times"
        assert isinstance(end, datetime), "the window is made of times"
        words["window"] = window_text((start, end), shipment.booked_offset_minutes)
    since, offset = values.get("since"), values.get("offset_minutes")
    if isinstance(since, datetime) and isinstance(offset, int):
        words["since"] = datetime_local(since, offset, "short")
    facility_id = values.get("facility_id")
    facility = story.facilities.get(facility_id) if isinstance(facility_id, int) else None
    words["place"] = place(facility) if facility is not None else _("an unnamed place")
    reason = values.get("reason")
    words["reason"] = str(reason_text(reason if isinstance(reason, str) else None))
    return str(SENTENCES[part.key]) % words


def _only_for_us(event: Event) -> bool:
    return event.corrected or event.code is ScanCode.VOIDED


def _row(event: Event, story: Story, place: Place, *, detailed: bool) -> dict[str, Any]:
    facility = None if event.facility_id is None else story.facilities.get(event.facility_id)
    details = []
    if detailed and event.reason:
        details.append(str(reason_text(event.reason)))
    if detailed and event.piece_no is not None:
        details.append(
            _("Piece %(number)s of %(pieces)s", number=event.piece_no, pieces=story.shipment.pieces)
        )
    if event.corrected:
        details.append(_("Declared an error by a later scan"))
    return {
        "title": CODES[event.code],
        "at": event.at,
        "offset_minutes": event.offset_minutes,
        "place": None if facility is None else place(facility),
        "detail": _("; ").join(details) or None,
        "tone": None if event.corrected or event.planned else TONES.get(event.code),
        "planned": event.planned,
    }
