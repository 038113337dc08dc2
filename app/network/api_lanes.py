"""The days on which a lane does not run, for machines."""

from __future__ import annotations

from datetime import date

import flask
from pydantic import Field
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.idempotency import idempotent
from app.network import queries, timetables
from app.network.api_blueprint import blueprint
from app.network.models import Facility, Lane
from app.security import current_actor, requires
from app.web import now, unit_of_work

_FIRST, _LAST = date(2000, 1, 1), date(2099, 12, 31)


class HolidayIn(ApiInput):
    """Days of rest: of a lane by the clocks of its departures, of a facility by its own."""

    first_day: date = Field(ge=_FIRST, le=_LAST)
    last_day: date | None = Field(default=None, ge=_FIRST, le=_LAST, description="The first alone without it")
    reason: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")


class HolidayDayIn(ApiInput):
    """A day on which a lane is to run, or a facility to work, again."""

    day: date = Field(ge=_FIRST, le=_LAST)


class HolidayOut(ApiOutput):
    """A day of rest."""

    day: date
    reason: str


class Holidays(ApiOutput):
    """Days of rest, in order."""

    items: list[HolidayOut]


@blueprint.get("/network/lanes/<int:lane_id>/holidays")
@blueprint.output(Holidays)
@blueprint.doc(summary="Days on which a lane does not run", security=BEARER)
@requires(Scope.NETWORK_READ)
def holidays(lane_id: int) -> flask.typing.ResponseReturnValue:
    """Days of rest, those that are past too."""
    with unit_of_work() as session:
        return rest_days(session, queries.load_lane(session, current_actor(), lane_id))


@blueprint.post("/network/lanes/<int:lane_id>/holidays")
@blueprint.input(HolidayIn)
@blueprint.output(Holidays)
@blueprint.doc(summary="Let a lane rest on some days; parcels on their way are planned anew", security=BEARER)
@requires(Scope.ADMIN)
@idempotent
def add_holidays(lane_id: int, json_data: HolidayIn) -> flask.typing.ResponseReturnValue:
    """Let a lane rest."""
    actor = current_actor()
    with unit_of_work() as session:
        lane = queries.load_lane(session, actor, lane_id)
        timetables.add_holidays(
            session, actor, lane, json_data.first_day, json_data.last_day, reason=json_data.reason, now=now()
        )
        return rest_days(session, lane)


@blueprint.post("/network/lanes/<int:lane_id>/holidays/remove")
@blueprint.input(HolidayDayIn)
@blueprint.output(Holidays)
@blueprint.doc(summary="Let a lane run on a day again", security=BEARER)
@requires(Scope.ADMIN)
@idempotent
def remove_holiday(lane_id: int, json_data: HolidayDayIn) -> flask.typing.ResponseReturnValue:
    """Let a lane run again."""
    actor = current_actor()
    with unit_of_work() as session:
        lane = queries.load_lane(session, actor, lane_id)
        timetables.remove_holiday(session, actor, lane, json_data.day, now=now())
        return rest_days(session, lane)


def rest_days(session: Session, subject: Lane | Facility) -> flask.Response:
    """The days on which a lane or facility rests."""
    return flask.jsonify(
        items=[
            {"day": one.day.isoformat(), "reason": one.reason}
            for one in timetables.holidays_of(session, subject)
        ]
    )
