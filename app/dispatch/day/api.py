"""The machine's door to the running day: positions in, couriers and estimates out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import flask
from apiflask import APIBlueprint
from pydantic import AwareDatetime, Field

from app.accounts.roles import Role, Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.dispatch import queries
from app.dispatch.day import following, positions
from app.dispatch.day.positions import ACCURACY_MAX_M, BATCH_MAX, CourierState, Fix, Whereabouts
from app.dispatch.models import Courier
from app.errors import NotFoundError
from app.network import queries as network
from app.network.models import Facility
from app.security import current_actor, requires
from app.web import now, unit_of_work

blueprint = APIBlueprint("day_api", __name__, url_prefix="/api/v1", tag="Dispatch")
ID_MAX = 2**63 - 1


class FixIn(ApiInput):
    """Where the phone was, by its own clock."""

    at: AwareDatetime
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    accuracy_m: int | None = Field(default=None, ge=0, le=ACCURACY_MAX_M)


class PositionsIn(ApiInput):
    """What a phone has gathered since it told last; told again it is no harm."""

    positions: list[FixIn] = Field(min_length=1, max_length=BATCH_MAX)


class TakenOut(ApiOutput):
    """How many positions were new, were known, or lie a day back or ahead of now: the clock is wrong."""

    kept: int
    known: int
    refused: int


class OutletQuery(ApiInput):
    """Which outlet."""

    facility_id: int = Field(ge=1, le=ID_MAX)


class PositionOut(ApiOutput):
    """Where a courier's phone was last."""

    at: AwareDatetime
    latitude: float
    longitude: float
    accuracy_m: int | None


class CourierOut(ApiOutput):
    """A courier of the outlet and what he is doing."""

    id: int
    code: str
    name: str
    state: CourierState
    stops: int = Field(description="Of his round in force today")
    left: int
    next_stop_id: int | None
    position: PositionOut | None


class CouriersOut(ApiOutput):
    """Every courier who works at an outlet, by code."""

    items: list[CourierOut]


class ComingOut(ApiOutput):
    """When a stop of a running round is reached; four of five such arrivals lie between the bounds."""

    stop_id: int
    courier_id: int
    stops_away: int
    from_: AwareDatetime = Field(alias="from")
    expected: AwareDatetime
    to: AwareDatetime


class ComingsOut(ApiOutput):
    """What lies ahead of an outlet's couriers."""

    day: date
    items: list[ComingOut]


@blueprint.post("/couriers/me/positions")
@blueprint.input(PositionsIn)
@blueprint.output(TakenOut)
@blueprint.doc(
    summary="Where the asker's phone has been",
    description="Kept for some days (`POSITIONS_KEPT_DAYS`); shown to those who plan and to nobody else. "
    "A position that was told before is not kept twice, so no Idempotency-Key is needed.",
    security=BEARER,
)
@requires(Scope.RUNS_READ)
def take_positions(json_data: PositionsIn) -> flask.typing.ResponseReturnValue:
    """A batch, each position with the phone's own time."""
    return flask.jsonify(taken(json_data))


@blueprint.get("/dispatch/couriers")
@blueprint.input(OutletQuery, location="query")
@blueprint.output(CouriersOut)
@blueprint.doc(summary="Couriers of an outlet: where they are and what they are doing", security=BEARER)
@requires(Scope.DISPATCH_READ)
def couriers(query_data: OutletQuery) -> flask.typing.ResponseReturnValue:
    """Who is on shift, on the way, at a stop, or off."""
    with unit_of_work() as session:
        facility = network.load_facility(session, current_actor(), query_data.facility_id)
        found = positions.whereabouts(session, facility, now=now())
        return flask.jsonify(items=[_courier_answer(one) for one in found])


@blueprint.get("/dispatch/coming")
@blueprint.input(OutletQuery, location="query")
@blueprint.output(ComingsOut)
@blueprint.doc(summary="When the remaining stops of today's rounds are reached", security=BEARER)
@requires(Scope.DISPATCH_READ)
def coming(query_data: OutletQuery) -> flask.typing.ResponseReturnValue:
    """By what was driven so far today; in the order of visit."""
    with unit_of_work() as session:
        facility = network.load_facility(session, current_actor(), query_data.facility_id)
        day = queries.local_day(now(), facility)
        midnight = midnight_of(day, facility)
        ahead = following.ahead_of(session, facility, now=now())
        return flask.jsonify(
            day=day.isoformat(),
            items=[
                {
                    "stop_id": stop.stop_id,
                    "courier_id": courier_id,
                    "stops_away": place,
                    "from": (midnight + timedelta(seconds=stop.from_s)).isoformat(),
                    "expected": (midnight + timedelta(seconds=stop.expected_s)).isoformat(),
                    "to": (midnight + timedelta(seconds=stop.to_s)).isoformat(),
                }
                for courier_id, stops in ahead.items()
                for place, stop in enumerate(stops)
            ],
        )


def midnight_of(day: date, facility: Facility) -> datetime:
    """When an outlet's local day begins (UTC)."""
    return datetime.combine(day, time(), UTC) - timedelta(minutes=facility.utc_offset_minutes)


def taken(given: PositionsIn) -> dict[str, int]:
    """Take the positions of the asker's phone."""
    fixes = [Fix(one.at, one.latitude, one.longitude, one.accuracy_m) for one in given.positions]
    actor = current_actor()
    if actor.role != Role.COURIER or actor.subject_id is None:
        raise NotFoundError("this login is no courier's")
    with unit_of_work() as session:
        courier: Courier = queries.load_courier(session, actor, actor.subject_id)
        done = positions.take(session, courier, fixes, now=now())
        facility = session.get_one(Facility, courier.facility_id)
        following.follow_if_due(session, facility, courier.id, now=now())
    return {"kept": done.kept, "known": done.known, "refused": done.refused}


def _courier_answer(one: Whereabouts) -> dict[str, Any]:
    live = one.live
    position = None
    if live is not None and live.position_at is not None:
        position = {
            "at": live.position_at.isoformat(),
            "latitude": live.latitude,
            "longitude": live.longitude,
            "accuracy_m": live.accuracy_m,
        }
    return {
        "id": one.courier.id,
        "code": one.courier.code,
        "name": one.courier.name,
        "state": one.state,
        "stops": one.stops,
        "left": one.left,
        "next_stop_id": None if one.next_stop is None else one.next_stop.id,
        "position": position,
    }
