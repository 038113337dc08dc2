"""The days on which a lane does not run or a facility does not work, for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import flask
from pydantic import Field
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.idempotency import idempotent
from app.network import timetables
from app.network.api_blueprint import blueprint
from app.network.models import Facility, Lane
from app.network.resting import FACILITIES, LANES, Resting
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


@dataclass(frozen=True, slots=True)
class _Summaries:
    """What the doors of one kind are called."""

    days: str
    add: str
    remove: str


def _open(kind: Resting, summaries: _Summaries) -> None:
    """The three doors of what rests; the address names the one that does."""

    @blueprint.get(kind.path, endpoint=kind.days)
    @blueprint.output(Holidays)
    @blueprint.doc(summary=summaries.days, security=BEARER)
    @requires(Scope.NETWORK_READ)
    def _days(**address: int) -> flask.typing.ResponseReturnValue:
        with unit_of_work() as session:
            return _answer(session, _named(session, kind, address))

    @blueprint.post(kind.path, endpoint=kind.add)
    @blueprint.input(HolidayIn)
    @blueprint.output(Holidays)
    @blueprint.doc(summary=summaries.add, security=BEARER)
    @requires(Scope.ADMIN)
    @idempotent
    def _add(json_data: HolidayIn, **address: int) -> flask.typing.ResponseReturnValue:
        actor = current_actor()
        with unit_of_work() as session:
            subject = _named(session, kind, address)
            first, last = json_data.first_day, json_data.last_day
            timetables.add_holidays(session, actor, subject, first, last, reason=json_data.reason, now=now())
            return _answer(session, subject)

    @blueprint.post(f"{kind.path}/remove", endpoint=kind.remove)
    @blueprint.input(HolidayDayIn)
    @blueprint.output(Holidays)
    @blueprint.doc(summary=summaries.remove, security=BEARER)
    @requires(Scope.ADMIN)
    @idempotent
    def _remove(json_data: HolidayDayIn, **address: int) -> flask.typing.ResponseReturnValue:
        actor = current_actor()
        with unit_of_work() as session:
            subject = _named(session, kind, address)
            timetables.remove_holiday(session, actor, subject, json_data.day, now=now())
            return _answer(session, subject)


def _named(session: Session, kind: Resting, address: Mapping[str, int]) -> Lane | Facility:
    (subject_id,) = address.values()
    return kind.load(session, current_actor(), subject_id)


def _answer(session: Session, subject: Lane | Facility) -> flask.Response:
    return flask.jsonify(
        items=[
            {"day": one.day.isoformat(), "reason": one.reason}
            for one in timetables.holidays_of(session, subject)
        ]
    )


_open(
    LANES,
    _Summaries(
        "Days on which a lane does not run",
        "Let a lane rest on some days; parcels on their way are planned anew",
        "Let a lane run on a day again",
    ),
)
_open(
    FACILITIES,
    _Summaries(
        "Days on which a facility does not work",
        "Let a facility rest on some days; parcels are planned anew",
        "Let a facility work on a day again",
    ),
)
