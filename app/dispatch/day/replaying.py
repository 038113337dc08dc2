"""A replayed day as lines for spreadsheets and as plain values for machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _

from app.dispatch.day.replay import Replay, Replayed, ReplayedRound
from app.dispatch.words import KINDS, STOP_STATUSES, clock


def lines(found: Replay) -> Iterator[list[str | int | None]]:
    """A head and a line a stop, couriers by code."""
    yield [
        "\ufeff" + _("Courier"),
        _("Name"),
        _("Place in the round"),
        _("Kind"),
        _("Address"),
        _("State"),
        _("Agreed from"),
        _("Agreed until"),
        _("Planned arrival"),
        _("Arrived"),
        _("Done"),
        _("Late in seconds"),
        _("Behind the plan in seconds"),
        _("Planned seconds at the door"),
        _("Seconds at the door"),
        _("Arrival known by position"),
    ]
    for one in found.rounds:
        for stop in one.stops:
            yield _line(one, stop)


def answer(found: Replay) -> dict[str, Any]:
    """A day for machines; seconds count from local midnight."""
    return {
        "facility_id": found.facility.id,
        "day": found.day.isoformat(),
        "rounds": [_round(one) for one in found.rounds],
        "conflicts": [
            {
                "stop_id": one.stop.id,
                "courier_id": one.courier.id,
                "act": one.event.act,
                "outcome": one.event.outcome,
                "why": one.event.why,
                "occurred_at": one.event.occurred_at.isoformat(),
                "received_at": one.event.received_at.isoformat(),
            }
            for one in found.strange
        ],
    }


def _line(one: ReplayedRound, stop: Replayed) -> list[str | int | None]:
    planned_s = None
    if stop.planned_departure_s is not None and stop.planned_start_s is not None:
        planned_s = stop.planned_departure_s - stop.planned_start_s
    return [
        one.courier.code,
        one.courier.name,
        None if stop.sequence is None else stop.sequence + 1,
        str(KINDS[stop.stop.kind]),
        stop.stop.address,
        str(STOP_STATUSES[stop.stop.status][0]),
        clock(stop.stop.window_from_s),
        clock(stop.stop.window_to_s),
        _clock(stop.planned_arrival_s),
        _clock(stop.arrived_s),
        _clock(stop.ended_s),
        stop.late_s,
        stop.behind_s,
        planned_s,
        stop.served_s,
        "1" if stop.by_position else None,
    ]


def _clock(moment_s: int | None) -> str | None:
    return None if moment_s is None else clock(moment_s)


def _round(one: ReplayedRound) -> dict[str, Any]:
    return {
        "courier_id": one.courier.id,
        "courier_code": one.courier.code,
        "stops_made": one.made,
        "stops_failed": one.failed,
        "stops_late": one.late,
        "planned_m": one.planned_m,
        "driven_m": one.driven_m,
        "planned_service_s": one.planned_service_s,
        "service_s": one.service_s,
        "stops": [
            {
                "stop_id": stop.stop.id,
                "status": stop.stop.status,
                "window_from_s": stop.stop.window_from_s,
                "window_to_s": stop.stop.window_to_s,
                "planned_arrival_s": stop.planned_arrival_s,
                "planned_start_s": stop.planned_start_s,
                "planned_departure_s": stop.planned_departure_s,
                "arrived_s": stop.arrived_s,
                "ended_s": stop.ended_s,
                "by_position": stop.by_position,
                "late_s": stop.late_s,
                "behind_s": stop.behind_s,
            }
            for stop in one.stops
        ],
    }
