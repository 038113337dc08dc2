"""The machine's door to the running day: positions in, couriers and estimates out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import flask
from apiflask import APIBlueprint

from app.accounts.roles import Role, Scope
from app.api_schema import BEARER
from app.dispatch import queries
from app.dispatch.day import following, learned_view, positions, replaying, takeover
from app.dispatch.day.api_models import (
    ComingsOut,
    CouriersOut,
    DayQuery,
    LearnedOut,
    OffIn,
    OutletQuery,
    PositionsIn,
    ReplayOut,
    TakenOut,
    TakeoverOut,
)
from app.dispatch.day.positions import Fix, Whereabouts
from app.dispatch.day.replay import replay
from app.dispatch.models import Courier
from app.errors import NotFoundError
from app.idempotency import idempotent
from app.network import queries as network
from app.network.models import Facility
from app.security import current_actor, requires
from app.web import now, unit_of_work

blueprint = APIBlueprint("day_api", __name__, url_prefix="/api/v1", tag="Running day")


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


@blueprint.get("/dispatch/replay")
@blueprint.input(DayQuery, location="query")
@blueprint.output(ReplayOut)
@blueprint.doc(summary="An outlet's day as it was planned and as it was driven", security=BEARER)
@requires(Scope.DISPATCH_READ)
def replayed(query_data: DayQuery) -> flask.typing.ResponseReturnValue:
    """Each stop with its planned and real times, and what did not simply go through."""
    with unit_of_work() as session:
        facility = network.load_facility(session, current_actor(), query_data.facility_id)
        day = query_data.day or queries.local_day(now(), facility)
        return flask.jsonify(replaying.answer(replay(session, facility, day)))


@blueprint.get("/dispatch/learned")
@blueprint.output(LearnedOut)
@blueprint.doc(summary="What was learned of times at doors and on the way", security=BEARER)
@requires(Scope.DISPATCH_READ)
def what_was_learned() -> flask.typing.ResponseReturnValue:
    """With how much data stands behind each factor."""
    with unit_of_work() as session:
        return flask.jsonify(items=[asdict(one) for one in learned_view.shown(session)])


@blueprint.get("/dispatch/couriers/<int:courier_id>/takeover")
@blueprint.output(TakeoverOut)
@blueprint.doc(summary="Who could take what is left of a courier's round", security=BEARER)
@requires(Scope.DISPATCH_READ)
def takeover_preview(courier_id: int) -> flask.typing.ResponseReturnValue:
    """Changes nothing."""
    with unit_of_work() as session:
        courier = queries.load_courier(session, current_actor(), courier_id)
        return flask.jsonify(_takeover_answer(takeover.preview(session, courier, now=now())))


@blueprint.post("/dispatch/couriers/<int:courier_id>/off")
@blueprint.input(OffIn)
@blueprint.output(TakeoverOut)
@blueprint.doc(
    summary="A courier falls out: what is left of his round goes to the others",
    description="What he has aboard for consignees stays his; what nobody has room for is open again.",
    security=BEARER,
)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def take_off(courier_id: int, json_data: OffIn) -> flask.typing.ResponseReturnValue:
    """Takes him off until a moment; who takes which stop."""
    with unit_of_work() as session:
        actor = current_actor()
        courier = queries.load_courier(session, actor, courier_id)
        done = takeover.take_off(
            session,
            actor,
            courier,
            reason=json_data.reason,
            until=json_data.until,
            version=json_data.version,
            now=now(),
        )
        return flask.jsonify(_takeover_answer(done))


@blueprint.post("/dispatch/couriers/<int:courier_id>/back")
@blueprint.output(TakeoverOut)
@blueprint.doc(summary="A courier works again", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def put_back(courier_id: int) -> flask.typing.ResponseReturnValue:
    """What others took over stays theirs; the answer is what he has now."""
    with unit_of_work() as session:
        courier = queries.load_courier(session, current_actor(), courier_id)
        takeover.put_back(session, current_actor(), courier, now=now())
        return flask.jsonify(_takeover_answer(takeover.preview(session, courier, now=now())))


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


def _takeover_answer(found: takeover.Takeover) -> dict[str, Any]:
    return {
        "courier_id": found.courier.id,
        "plan_id": None if found.plan is None else found.plan.id,
        "version": None if found.plan is None else found.plan.version,
        "stops": [
            {
                "stop_id": one.stop.id,
                "courier_id": None if one.courier is None else one.courier.id,
                "start_s": one.start_s,
                "extra_cost_minor": one.extra_cost_minor,
                "aboard": one.aboard,
            }
            for one in found.passed
        ],
    }


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
