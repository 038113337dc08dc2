"""How a facility is run, for machines."""

from __future__ import annotations

from typing import Annotated, Any

import flask
from pydantic import AfterValidator, Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.errors import InvalidInputError
from app.idempotency import idempotent
from app.network import queries, working
from app.network.api_blueprint import blueprint
from app.network.hours_text import WEEKDAYS, intervals_of, intervals_written, time_of, written
from app.network.models import Facility
from app.network.working import Operation
from app.security import current_actor, requires
from app.web import now, unit_of_work
from routing.network import InvalidNetworkError, Operator, WorkingHours
from routing.network.clock import zone
from routing.network.hours import weekly

_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_INTERVAL = r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
Day = Annotated[list[Annotated[str, Field(pattern=_INTERVAL)]], Field(max_length=12)]


def _known(name: str) -> str:
    try:
        zone(name)
    except InvalidNetworkError as error:
        raise ValueError("is no time zone") from error
    return name


class Week(ApiInput):
    """Opening hours by weekday, each from and to; none on a day on which it is closed."""

    monday: Day
    tuesday: Day
    wednesday: Day
    thursday: Day
    friday: Day
    saturday: Day
    sunday: Day


class OperationIn(ApiInput):
    """How a facility is run from now on."""

    operator: Operator
    timezone: Annotated[str, AfterValidator(_known)] = Field(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9_+\-/]+$",
        description="IANA name; of all times here",
    )
    opening_hours: Week
    collection_cutoff: str = Field(
        pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
        description="An outlet collects the same day what is booked before; a point is emptied then",
    )
    delivery_rounds: list[Annotated[str, Field(pattern=_TIME)]] = Field(
        min_length=1, max_length=12, description="When an outlet's rounds start, rising"
    )
    sort_s: int = Field(ge=0, le=604_800, description="Seconds from a parcel's arrival until it can leave")
    sort_per_hour: int | None = Field(
        default=None, ge=1, le=10_000_000, description="Pieces; null where nobody knows"
    )


class WeekOut(ApiOutput):
    """Opening hours by weekday, each from and to."""

    monday: list[str]
    tuesday: list[str]
    wednesday: list[str]
    thursday: list[str]
    friday: list[str]
    saturday: list[str]
    sunday: list[str]


class OperationOut(ApiOutput):
    """How a facility is run."""

    facility_id: int
    operator: Operator
    timezone: str
    opening_hours: WeekOut
    collection_cutoff: str
    delivery_rounds: list[str]
    sort_s: int
    sort_per_hour: int | None


@blueprint.get("/network/facilities/<int:facility_id>/operation")
@blueprint.output(OperationOut)
@blueprint.doc(summary="When a facility works, how much it sorts, and who runs it", security=BEARER)
@requires(Scope.NETWORK_READ)
def operation(facility_id: int) -> flask.typing.ResponseReturnValue:
    """How a facility is run now."""
    with unit_of_work() as session:
        return _answer(queries.load_facility(session, current_actor(), facility_id))


@blueprint.post("/network/facilities/<int:facility_id>/operation")
@blueprint.input(OperationIn)
@blueprint.output(OperationOut)
@blueprint.doc(summary="Run a facility another way; parcels on their way are planned anew", security=BEARER)
@requires(Scope.ADMIN)
@idempotent
def change_operation(facility_id: int, json_data: OperationIn) -> flask.typing.ResponseReturnValue:
    """Run a facility another way from now on."""
    actor = current_actor()
    with unit_of_work() as session:
        facility = queries.load_facility(session, actor, facility_id)
        try:
            working.change_operation(session, actor, facility, _operation(json_data), now=now())
        except (InvalidNetworkError, ValueError) as error:
            raise InvalidInputError(
                "a facility cannot be run so", [{"detail": str(error), "pointer": "/opening_hours"}]
            ) from error
        return _answer(facility)


def _operation(wanted: OperationIn) -> Operation:
    days = [intervals_of(", ".join(getattr(wanted.opening_hours, name))) for name in WEEKDAYS]
    hours = WorkingHours(
        wanted.timezone,
        weekly(days),
        frozenset(),
        time_of(wanted.collection_cutoff),
        tuple(time_of(one) for one in wanted.delivery_rounds),
    )
    return Operation(hours, wanted.sort_s, wanted.sort_per_hour, wanted.operator)


def _answer(facility: Facility) -> flask.Response:
    run = working.operation_of(facility)
    week: dict[str, Any] = {
        name: intervals_written(of_day)
        for name, of_day in zip(WEEKDAYS, run.hours.intervals_by_weekday(), strict=True)
    }
    return flask.jsonify(
        facility_id=facility.id,
        operator=run.operator.value,
        timezone=run.hours.timezone,
        opening_hours=week,
        collection_cutoff=written(run.hours.collection_cutoff_minute),
        delivery_rounds=[written(minute) for minute in run.hours.round_minutes],
        sort_s=run.sort_s,
        sort_per_hour=run.sort_per_hour,
    )
