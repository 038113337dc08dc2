"""A running round as it is followed: from what was planned, driven and told to what lies ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from app.dispatch.day.driven import Made
from app.dispatch.day.forecast import Ahead, Coming, Here, forecast, pace_of
from app.dispatch.day.learned import Learned
from app.dispatch.day.models import Act, CourierLive, Measure
from app.dispatch.day.positions import FRESH
from app.dispatch.day.round_rows import Visited
from app.dispatch.stored import WAITING
from routing.pickup import StraightLine

_BEFORE_START = timedelta(hours=2)
_WAY = StraightLine()


@dataclass(frozen=True, slots=True)
class Round:
    """A courier's running round as it is followed; `visits` in the order of visit."""

    courier_id: int
    start_s: int
    visits: Sequence[Visited]
    live: CourierLive | None
    made: Sequence[Made]


def coming(one: Round, learned: Learned, *, now: datetime, now_s: int) -> list[Coming]:
    """What lies ahead of a courier; nothing long before his round starts, or once it is done."""
    waiting = [(visit, stop) for visit, stop in one.visits if stop.status in WAITING]
    if not waiting or (not one.made and now_s < one.start_s - _BEFORE_START.total_seconds()):
        return []
    live, at_stop = one.live, None
    if live is not None and live.act is Act.ARRIVED and live.act_at is not None:
        here = [pair for pair in waiting if pair[1].id == live.act_stop_id]
        if here:
            at_stop = now_s - int((now - live.act_at).total_seconds())
            waiting = [*here, *(pair for pair in waiting if pair[1].id != live.act_stop_id)]
    last = one.made[-1] if one.made else None
    leaves_s = max(one.start_s, now_s)
    if last is not None:
        leaves_s = now_s - int((now - last.ended_at).total_seconds())
    pace = pace_of(
        [
            (done.planned_travel_s, done.travelled_s)
            for done in one.made
            if done.planned_travel_s is not None and done.travelled_s is not None
        ],
        [
            (done.planned_departure_s - done.planned_start_s, done.served_s)
            for done in one.made
            if done.planned_departure_s is not None
            and done.planned_start_s is not None
            and done.served_s is not None
        ],
        spread_travel=learned.spread(Measure.TRAVEL),
        spread_service=learned.spread(Measure.SERVICE),
    )
    return forecast(
        Here(now_s, leaves_s, _way_left(live, waiting[0][1], now), at_stop), _ahead(one, waiting), pace
    )


def _ahead(one: Round, waiting: Sequence[Visited]) -> list[Ahead]:
    """The stops ahead; a way that the plan does not have, since stops between fell away, is measured."""
    after = {visit.stop_request_id: visit for visit, _stop in one.visits}
    last_stop = next((made.stop_id for made in reversed(one.made)), None)
    before = None if last_stop is None else after.get(last_stop)
    place = next(((stop.latitude, stop.longitude) for _v, stop in one.visits if stop.id == last_stop), None)
    found = []
    for visit, stop in waiting:
        if before is not None and before.sequence + 1 == visit.sequence:
            travel_s = visit.arrival_s - before.departure_s
        elif before is None and visit.sequence == 0:
            travel_s = visit.arrival_s - one.start_s
        elif place is None:
            travel_s = visit.distance_m * 3600 // _WAY.speed_m_per_h
        else:
            travel_s = _seconds(place, (stop.latitude, stop.longitude))
        found.append(Ahead(stop.id, max(travel_s, 0), visit.departure_s - visit.start_s, stop.window_from_s))
        before, place = visit, (stop.latitude, stop.longitude)
    return found


def _way_left(live: CourierLive | None, stop: Row[Any], now: datetime) -> int | None:
    if live is None or live.position_at is None or now - live.position_at > FRESH:
        return None
    assert live.latitude is not None, "a position has a place"
    assert live.longitude is not None, "a position has a place"
    # What was told after the position is newer: he has just left a stop, and the whole way lies ahead.
    if live.act_at is not None and live.act_at > live.position_at:
        return None
    return _seconds((live.latitude, live.longitude), (stop.latitude, stop.longitude))


def _seconds(start: tuple[float, float], end: tuple[float, float]) -> int:
    seconds, _metres = _WAY.legs([start], [end])
    return int(seconds[0])
