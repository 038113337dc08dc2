"""The machine's door to couriers and their days."""

from __future__ import annotations

from datetime import date
from typing import Any

import flask
from pydantic import Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.dispatch import queries
from app.dispatch.api_blueprint import blueprint
from app.dispatch.api_models import ID_MAX
from app.dispatch.couriers import DAY_S
from app.dispatch.roster import Duty, roster, set_duty
from app.dispatch.roster_models import DayState
from app.idempotency import idempotent
from app.network import queries as network
from app.security import current_actor, requires
from app.web import now, unit_of_work


class RosterQuery(ApiInput):
    """Whose couriers, and when."""

    facility_id: int = Field(ge=1, le=ID_MAX)
    day: date = Field(description="Local day of the outlet")


class DutyIn(ApiInput):
    """A courier's day. Seconds count from local midnight."""

    day: date
    state: DayState
    shift_start_s: int = Field(ge=0, le=DAY_S)
    shift_end_s: int = Field(ge=0, le=DAY_S)


class BreakOut(ApiOutput):
    """A break of every shift: when it may start, and how long it is."""

    from_s: int
    to_s: int
    minutes: int
    paid: bool


class DutyOut(ApiOutput):
    """A courier on a day."""

    courier_id: int
    code: str
    name: str
    state: DayState
    shift_start_s: int
    shift_end_s: int
    is_usual: bool = Field(description="Nothing was said of this day")
    skills: list[str]
    breaks: list[BreakOut]
    capacity_g: int
    capacity_cm3: int
    capacity_pieces: int


class RosterOut(ApiOutput):
    """An outlet's couriers on a day."""

    items: list[DutyOut]


@blueprint.get("/dispatch/roster")
@blueprint.input(RosterQuery, location="query")
@blueprint.output(RosterOut)
@blueprint.doc(summary="Who works at an outlet on a day", security=BEARER)
@requires(Scope.DISPATCH_READ)
def show_roster(query_data: RosterQuery) -> flask.typing.ResponseReturnValue:
    """With shift, state, skills and what may be aboard."""
    with unit_of_work() as session:
        network.load_facility(session, current_actor(), query_data.facility_id)
        found = roster(session, query_data.facility_id, query_data.day)
        return flask.jsonify({"items": [_answer(one) for one in found]})


@blueprint.post("/dispatch/couriers/<int:courier_id>/duty")
@blueprint.input(DutyIn)
@blueprint.output(DutyOut)
@blueprint.doc(summary="Say how a courier works on a day", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def set_day(courier_id: int, json_data: DutyIn) -> flask.typing.ResponseReturnValue:
    """Plans made before stay; where he is out they give him nothing more."""
    with unit_of_work() as session:
        courier = queries.load_courier(session, current_actor(), courier_id)
        set_duty(
            session,
            current_actor(),
            courier,
            json_data.day,
            state=json_data.state,
            shift_start_s=json_data.shift_start_s,
            shift_end_s=json_data.shift_end_s,
            now=now(),
        )
        found = roster(session, courier.facility_id, json_data.day)
        return flask.jsonify(_answer(next(one for one in found if one.courier.id == courier.id)))


def _answer(one: Duty) -> dict[str, Any]:
    courier = one.courier
    return {
        "courier_id": courier.id,
        "code": courier.code,
        "name": courier.name,
        "state": one.state,
        "shift_start_s": one.shift_start_s,
        "shift_end_s": one.shift_end_s,
        "is_usual": one.is_usual,
        "skills": courier.skills,
        "breaks": courier.breaks,
        "capacity_g": courier.capacity_g,
        "capacity_cm3": courier.capacity_cm3,
        "capacity_pieces": courier.capacity_pieces,
    }
