"""The machine's door to what is set right: a stop's place and needs, a courier's shift, skills and breaks."""

from __future__ import annotations

from typing import Annotated

import flask
from pydantic import Field
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.dispatch import answers, queries, service
from app.dispatch.api_blueprint import blueprint
from app.dispatch.api_models import ID_MAX, StopOut
from app.dispatch.api_roster import BreakOut
from app.dispatch.areas import AREAS_MAX, territory_of
from app.dispatch.breaks import BREAKS_MAX, MINUTES_MAX
from app.dispatch.couriers import DAY_S
from app.dispatch.models import Courier, StopRequest, VehicleClass
from app.dispatch.service import Corrected, CourierBreak
from app.dispatch.skills import LENGTH_MAX, SKILLS_MAX
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.web import now, unit_of_work

_CAPACITY_MAX = 1_000_000_000


class PinIn(ApiInput):
    """Where the door is, in degrees (WGS 84)."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class SkillsIn(ApiInput):
    """What the courier must be able to do, in the company's own words."""

    skills: list[str] = Field(max_length=SKILLS_MAX, description=f"Each of at most {LENGTH_MAX} letters")


class CorrectedOut(ApiOutput):
    """A stop that was set right, and what became of it in its plans."""

    stop: StopOut
    courier_id: int | None = Field(description="Who makes it now; null for nobody")
    plans: int = Field(description="How many plans it was planned anew in")
    changed: bool


class BreakIn(ApiInput):
    """A break of every shift. Seconds count from local midnight."""

    from_s: int = Field(ge=0, lt=DAY_S, description="It starts no earlier")
    to_s: int = Field(ge=0, lt=DAY_S, description="It starts no later")
    minutes: int = Field(ge=1, le=MINUTES_MAX)
    paid: bool = Field(default=True, description="An unpaid one does not count into the hours of a round")


class CourierIn(ApiInput):
    """A courier as he is to be. Seconds count from local midnight."""

    shift_start_s: int = Field(ge=0, le=DAY_S)
    shift_end_s: int = Field(ge=0, le=DAY_S)
    capacity_g: int = Field(ge=0, le=_CAPACITY_MAX)
    capacity_cm3: int = Field(ge=0, le=_CAPACITY_MAX)
    capacity_pieces: int = Field(ge=0, le=_CAPACITY_MAX)
    vehicle_class: VehicleClass
    territory: list[Annotated[int, Field(ge=1, le=ID_MAX)]] = Field(
        max_length=AREAS_MAX, description="Areas in which he is at home; empty: everywhere"
    )
    skills: list[str] = Field(max_length=SKILLS_MAX)
    breaks: list[BreakIn] = Field(max_length=BREAKS_MAX)
    active: bool


class CourierProfileOut(ApiOutput):
    """A courier of an outlet. Seconds count from local midnight."""

    id: int
    code: str
    name: str
    facility_id: int
    shift_start_s: int
    shift_end_s: int
    capacity_g: int
    capacity_cm3: int
    capacity_pieces: int
    vehicle_class: VehicleClass
    territory: list[int] = Field(description="Areas in which he is at home; empty: everywhere")
    skills: list[str]
    breaks: list[BreakOut]
    active: bool


@blueprint.post("/dispatch/stops/<int:stop_id>/place")
@blueprint.input(PinIn)
@blueprint.output(CorrectedOut)
@blueprint.doc(summary="Put a stop where its door is", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def correct_place(stop_id: int, json_data: PinIn) -> flask.typing.ResponseReturnValue:
    """Its plans plan it anew; a plan that is being made begins again. Who and when is kept."""
    with unit_of_work() as session:
        stop = queries.load_stop(session, current_actor(), stop_id)
        done = service.correct_place(
            session,
            current_actor(),
            stop,
            latitude=json_data.latitude,
            longitude=json_data.longitude,
            now=now(),
        )
        return _corrected(session, stop, done)


@blueprint.post("/dispatch/stops/<int:stop_id>/skills")
@blueprint.input(SkillsIn)
@blueprint.output(CorrectedOut)
@blueprint.doc(summary="Say what the courier of a stop must be able to do", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def set_skills(stop_id: int, json_data: SkillsIn) -> flask.typing.ResponseReturnValue:
    """Whoever has the stop and cannot do it gives it to another, or it is in no round."""
    with unit_of_work() as session:
        stop = queries.load_stop(session, current_actor(), stop_id)
        done = service.set_skills(session, current_actor(), stop, json_data.skills, now=now())
        return _corrected(session, stop, done)


@blueprint.get("/dispatch/couriers/<int:courier_id>")
@blueprint.output(CourierProfileOut)
@blueprint.doc(summary="A courier", security=BEARER)
@requires(Scope.DISPATCH_READ)
def courier(courier_id: int) -> flask.typing.ResponseReturnValue:
    """With his usual shift, vehicle, home areas, skills and breaks."""
    with unit_of_work() as session:
        return _courier(session, queries.load_courier(session, current_actor(), courier_id))


@blueprint.post("/dispatch/couriers/<int:courier_id>")
@blueprint.input(CourierIn)
@blueprint.output(CourierProfileOut)
@blueprint.doc(summary="Change a courier", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def change_courier(courier_id: int, json_data: CourierIn) -> flask.typing.ResponseReturnValue:
    """Shift, vehicle, home areas, skills, breaks, and whether he works; plans made before stay."""
    with unit_of_work() as session:
        found = queries.load_courier(session, current_actor(), courier_id)
        values = json_data.model_dump()
        values["breaks"] = [CourierBreak(**one) for one in values["breaks"]]
        service.change_courier(session, current_actor(), found, **values, now=now())
        return _courier(session, found)


def _corrected(session: Session, stop: StopRequest, done: Corrected) -> flask.Response:
    return flask.jsonify(
        {
            "stop": answers.stop_answer(stop, queries.number_of(session, stop)),
            "courier_id": done.courier_id,
            "plans": done.plans,
            "changed": done.changed,
        }
    )


def _courier(session: Session, found: Courier) -> flask.Response:
    return flask.jsonify(
        {
            "id": found.id,
            "code": found.code,
            "name": found.name,
            "facility_id": found.facility_id,
            "shift_start_s": found.shift_start_s,
            "shift_end_s": found.shift_end_s,
            "capacity_g": found.capacity_g,
            "capacity_cm3": found.capacity_cm3,
            "capacity_pieces": found.capacity_pieces,
            "vehicle_class": found.vehicle_class,
            "territory": territory_of(session, found),
            "skills": found.skills,
            "breaks": found.breaks,
            "active": found.active,
        }
    )
