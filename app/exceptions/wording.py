"""Each finding in a sentence, and each outcome of an action in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import AppError
from app.formatting import datetime_local, duration
from app.network.labels import facility_name
from app.network.models import Facility
from app.shipments.finding_models import ShipmentFinding
from app.shipments.models import Shipment
from app.shipments.words import CODES, FINDINGS, MILESTONES
from tracking.finding import FindingKind
from tracking.shipment import Milestone, ScanCode
from tracking.watch import QUIET_S

_K = FindingKind

OUTCOMES: Mapping[str, Any] = {
    "assigned": _l("given to its new owner"),
    "unassigned": _l("nobody's again"),
    "noted": _l("written down"),
    "acknowledged": _l("acknowledged"),
    "put_aside": _l("put aside"),
    "taken_up": _l("taken up again"),
    "replanned": _l("planned anew"),
    "unchanged": _l("its plan is the best there is, and stays"),
    "not_under_way": _l("it does not travel just now, so there is nothing to plan"),
    "no_route": _l("no way leads to its destination"),
    "case_opened": _l("a case was opened"),
    "too_many_cases": _l("it has as many open cases as it may have"),
    "recorded": _l("the scan was recorded"),
    "duplicate": _l("the scan was recorded before"),
    "conflict": _l("another scan was recorded before"),
    "not_yours": _l("this login may scan at its own place only"),
    "unknown_place": _l("there is no such place"),
    "closed": _l("it had settled itself already"),
    "not_found": _l("there is no such finding"),
}
"""What became of a finding; a word that is not here stands as it is."""


def explained(
    finding: ShipmentFinding, shipment: Shipment, places: Mapping[int, Facility], now: datetime
) -> str:
    """Why a finding stands, in one sentence, as of now.

    What another room found out for itself, with facts of its own, is explained by its kind.
    """
    facts = _facts(finding, shipment, places, now)
    for sentence in map(str, (*_SENTENCES.get(finding.kind, ()), FINDINGS[finding.kind][1])):
        if all(fact for name, fact in facts.items() if f"%({name})s" in sentence):
            return sentence % facts
    raise AssertionError("the last one asks for no facts")


def places_named(finding: ShipmentFinding, shipment: Shipment) -> list[int | None]:
    """The facilities that its sentence may name."""
    details = finding.details
    return [
        shipment.seen_facility_id,
        shipment.origin_facility_id,
        shipment.destination_facility_id,
        _number(details.get("facility_id")),
        _number(details.get("expected_facility_id")),
    ]


def outcome_text(outcome: str) -> Any:
    """An outcome in words."""
    return OUTCOMES.get(outcome, outcome)


_SENTENCES: Mapping[FindingKind, tuple[Any, ...]] = {
    _K.LATE: (
        _l("Promised until %(promised)s, so %(late)s late; it stands at “%(state)s” since %(since)s."),
    ),
    _K.EXPECTED_LATE: (
        _l("Expected about %(expected)s, which is %(behind)s after the promised %(promised)s."),
    ),
    _K.STUCK: (
        _l(
            "Nothing heard for %(silent)s since it was at %(place)s; 95 of 100 are heard of within %(quiet)s."
        ),
        _l("Nothing heard for %(silent)s since it was at %(place)s."),
    ),
    _K.MISROUTED: (_l("Scanned at %(place)s, which is not on its way to %(goal)s."),),
    _K.PICKUP_OVERDUE: (_l("Waits to be fetched since %(since)s, which is %(overdue)s longer than it may."),),
    _K.UNCONFIRMED: (_l("Delivered at %(since)s, %(silent)s ago, and nobody has confirmed its receipt."),),
    _K.OUT_OF_SEQUENCE: (_l("“%(code)s” was scanned while it was “%(milestone)s”."),),
    _K.FROM_THE_FUTURE: (_l("A device's clock was %(ahead)s ahead of ours when it scanned."),),
}
"""Where facts say more than the kind itself does; of several sentences the first that has all its facts."""


def _facts(
    finding: ShipmentFinding, shipment: Shipment, places: Mapping[int, Facility], now: datetime
) -> dict[str, str]:
    details, offset = finding.details, shipment.booked_offset_minutes
    place_id = _number(details.get("facility_id")) or shipment.seen_facility_id or shipment.origin_facility_id
    return {
        "promised": datetime_local(shipment.promised_to_at, offset, "short"),
        "expected": datetime_local(shipment.estimate_p50_at, offset, "short"),
        "since": datetime_local(shipment.state_since, offset, "short"),
        "state": str(MILESTONES[shipment.milestone][0]),
        "late": _lasting((now - shipment.promised_to_at).total_seconds()),
        "behind": _lasting((shipment.estimate_p50_at - shipment.promised_to_at).total_seconds()),
        "silent": _lasting((now - shipment.state_since).total_seconds()),
        # Where the plan said nothing, what is usual was taken, and no share of parcels stands behind it.
        "quiet": "" if details.get("quiet_s") == QUIET_S else _lasting(_number(details.get("quiet_s"))),
        "overdue": _lasting((now - finding.opened_at).total_seconds()),
        "ahead": _lasting(_number(details.get("ahead_s"))),
        "place": _place(place_id, places),
        "goal": _place(_number(details.get("expected_facility_id")), places),
        "code": _word(CODES, ScanCode, details.get("code")),
        "milestone": _word(
            {one: word for one, (word, _tone) in MILESTONES.items()}, Milestone, details.get("milestone")
        ),
    }


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _lasting(seconds: float | None) -> str:
    return duration(int(seconds)) if seconds is not None and seconds >= 0 else ""


def _place(facility_id: int | None, places: Mapping[int, Facility]) -> str:
    place = None if facility_id is None else places.get(facility_id)
    return "" if place is None else facility_name(place)


def _word(words: Mapping[Any, Any], kind: type[ScanCode] | type[Milestone], value: object) -> str:
    return str(words[kind(value)]) if isinstance(value, str) and value in set(kind) else ""


def kind_name(kind: FindingKind) -> Any:
    """What a kind of finding is called."""
    return FINDINGS[kind][0]


def confirmation(done: int, of: int) -> str:
    """How much of an action was done."""
    return str(_("%(done)s of %(all)s done.", done=done, all=of))


def refusal_text(error: AppError) -> str:
    """Why an action was not done at all."""
    pointers = [one["pointer"] for one in error.extra.get("errors", [])]
    return str(_REFUSALS.get(pointers[0] if pointers else "", _l("That cannot be done.")))


_REFUSALS: Mapping[str, Any] = {
    "/body": _l("Write down what it is about first."),
    "/facility_id": _l("Say at which place it was found, by the place's code."),
    "/assignee_id": _l("Nobody of the staff has this login."),
    "/until": _l("That is past."),
}
