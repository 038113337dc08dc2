"""The machine's door to pickups: windows that fit, asked for once or weekly, listed, taken back."""

from __future__ import annotations

from datetime import date
from typing import Any

import flask
from pydantic import Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput, PageQuery, page_answer
from app.dispatch import pickup_queries, service
from app.dispatch.api_blueprint import blueprint
from app.dispatch.models import StopRequest, StopStatus
from app.dispatch.pickup_models import PickupChannel, PickupRequest, RecurringPickup
from app.dispatch.service import Wanted
from app.dispatch.skills import split_skills
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.web import now, unit_of_work

DAY_S = 24 * 3600


class PlaceIn(ApiInput):
    """Where and about how much. Without coordinates the place is that of the district's seat."""

    district_adcode: str = Field(pattern=r"^\d{6}$")
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    day: date = Field(description="Local day of the outlet that serves the place")
    pieces: int = Field(default=1, ge=1, le=10_000)
    weight_g: int = Field(default=1000, ge=1, le=100_000_000)
    volume_cm3: int = Field(default=0, ge=0, le=1_000_000_000)


class WindowsIn(PlaceIn):
    """Whose windows."""

    skills: str = Field(
        default="", max_length=500, description="What the courier must be able to do, with commas between"
    )


class PickupIn(PlaceIn):
    """A pickup. Seconds count from local midnight of its day."""

    contact_name: str = Field(min_length=1, max_length=100)
    contact_phone: str = Field(min_length=3, max_length=30)
    address: str = Field(min_length=1, max_length=300)
    window_from_s: int = Field(ge=0, le=DAY_S)
    window_to_s: int = Field(ge=0, le=DAY_S)
    note: str = Field(default="", max_length=500)
    skills: list[str] = Field(
        default=[], max_length=20, description="What the courier must be able to do, in the company's words"
    )


class RecurringIn(PickupIn):
    """A pickup every week; `day` is the first that counts."""

    weekdays: list[int] = Field(min_length=1, max_length=7, description="0 is Monday")
    last_day: date | None = None


class WindowOut(ApiOutput):
    """A window of the day, and what it would cost the day's plan."""

    from_s: int
    to_s: int
    fits: bool
    extra_cost_minor: int | None = Field(description="null while the day has no plan, or does not fit")
    start_s: int | None


class WindowsOut(ApiOutput):
    """The windows of a day at the outlet that serves a place."""

    facility_id: int
    day: date
    first_day: date = Field(description="The first day the outlet still takes pickups for")
    windows: list[WindowOut]


class PickupOut(ApiOutput):
    """A pickup that was asked for. `is_new` is false where the place is called on that day anyway."""

    id: int | None = Field(description="null where a booked parcel is called for there anyway")
    stop_id: int
    status: StopStatus
    channel: PickupChannel | None
    is_new: bool
    facility_id: int
    contact_name: str
    contact_phone: str
    address: str
    day: date
    window_from_s: int
    window_to_s: int
    pieces: int
    weight_g: int
    volume_cm3: int


class PickupPage(ApiOutput):
    """A page of pickups."""

    items: list[PickupOut]
    next_cursor: str | None


class RecurringOut(ApiOutput):
    """A pickup every week."""

    id: int
    facility_id: int
    contact_name: str
    address: str
    weekdays: list[int]
    first_day: date
    last_day: date | None
    window_from_s: int
    window_to_s: int
    ended: bool


class RecurringsOut(ApiOutput):
    """Pickups that are made every week."""

    items: list[RecurringOut]


@blueprint.get("/pickups/windows")
@blueprint.input(WindowsIn, location="query")
@blueprint.output(WindowsOut)
@blueprint.doc(summary="Which windows of a day still fit a pickup", security=BEARER)
@requires(Scope.SHIPMENTS_BOOK)
def pickup_windows(query_data: WindowsIn) -> flask.typing.ResponseReturnValue:
    """With what each would cost the day's plan, and when the courier would come."""
    with unit_of_work() as session:
        values = query_data.model_dump() | {"skills": split_skills(query_data.skills)}
        wanted = Wanted("", "", address="", window_from_s=0, window_to_s=DAY_S, **values)
        found = service.windows(session, wanted, now=now())
        return flask.jsonify(
            {
                "facility_id": found.facility_id,
                "day": found.day.isoformat(),
                "first_day": found.first_day.isoformat(),
                "windows": [
                    {
                        "from_s": one.from_s,
                        "to_s": one.to_s,
                        "fits": one.fits,
                        "extra_cost_minor": one.extra_cost_minor,
                        "start_s": one.start_s,
                    }
                    for one in found.windows
                ],
            }
        )


@blueprint.post("/pickups")
@blueprint.input(PickupIn)
@blueprint.output(PickupOut, status_code=201)
@blueprint.doc(summary="Ask for a pickup before anything is booked", security=BEARER)
@requires(Scope.SHIPMENTS_BOOK)
@idempotent
def ask_pickup(json_data: PickupIn) -> flask.typing.ResponseReturnValue:
    """Asked for twice for one place and day it is one: then it answers 200 with the first."""
    with unit_of_work() as session:
        actor, wanted = current_actor(), Wanted(**json_data.model_dump())
        customer_id = pickup_queries.customer_of(
            session, actor, name=wanted.contact_name, phone=wanted.contact_phone, now=now()
        )
        asked = service.ask_pickup(
            session, actor, wanted, customer_id=customer_id, channel=PickupChannel.API, now=now()
        )
        answer = _pickup(asked.request, asked.stop, is_new=asked.is_new)
        return flask.jsonify(answer), 201 if asked.is_new else 200


@blueprint.get("/pickups")
@blueprint.input(PageQuery, location="query")
@blueprint.output(PickupPage)
@blueprint.doc(summary="Pickups that were asked for", security=BEARER)
@requires(Scope.SHIPMENTS_BOOK)
def pickups(query_data: PageQuery) -> flask.typing.ResponseReturnValue:
    """The latest first; a shipper sees his own."""
    with unit_of_work() as session:
        page = pickup_queries.list_pickups(
            session, current_actor(), cursor=query_data.cursor, limit=query_data.limit
        )
        items = [_pickup(request, stop, is_new=False) for request, stop in page.rows]
        return page_answer(items, page.next_cursor)


@blueprint.post("/pickups/<int:pickup_id>/cancel")
@blueprint.output(PickupOut)
@blueprint.doc(summary="Take a pickup back", security=BEARER)
@requires(Scope.SHIPMENTS_BOOK)
@idempotent
def cancel_pickup(pickup_id: int) -> flask.typing.ResponseReturnValue:
    """Until it is made."""
    with unit_of_work() as session:
        request = pickup_queries.load_pickup(session, current_actor(), pickup_id)
        stop = service.cancel_pickup(session, current_actor(), request, now=now())
        return flask.jsonify(_pickup(request, stop, is_new=False))


@blueprint.post("/pickups/recurring")
@blueprint.input(RecurringIn)
@blueprint.output(RecurringOut, status_code=201)
@blueprint.doc(summary="Ask for a pickup every week", security=BEARER)
@requires(Scope.SHIPMENTS_BOOK)
@idempotent
def begin_recurring(json_data: RecurringIn) -> flask.typing.ResponseReturnValue:
    """Those of the next seven days are asked for at once, the others as their days come near."""
    with unit_of_work() as session:
        actor, values = current_actor(), json_data.model_dump()
        weekdays, last_day = values.pop("weekdays"), values.pop("last_day")
        wanted = Wanted(**values)
        customer_id = pickup_queries.customer_of(
            session, actor, name=wanted.contact_name, phone=wanted.contact_phone, now=now()
        )
        begun = service.begin_recurring(
            session,
            actor,
            wanted,
            customer_id=customer_id,
            weekdays=weekdays,
            last_day=last_day,
            now=now(),
        )
        return flask.jsonify(_recurring(begun)), 201


@blueprint.get("/pickups/recurring")
@blueprint.output(RecurringsOut)
@blueprint.doc(summary="Pickups that are made every week", security=BEARER)
@requires(Scope.SHIPMENTS_BOOK)
def recurring_pickups() -> flask.typing.ResponseReturnValue:
    """Those that have not ended."""
    with unit_of_work() as session:
        found = pickup_queries.recurring_pickups(session, current_actor())
        return flask.jsonify({"items": [_recurring(one) for one in found]})


@blueprint.post("/pickups/recurring/<int:recurring_id>/end")
@blueprint.output(RecurringOut)
@blueprint.doc(summary="End a weekly pickup", security=BEARER)
@requires(Scope.SHIPMENTS_BOOK)
@idempotent
def end_recurring(recurring_id: int) -> flask.typing.ResponseReturnValue:
    """What was asked for already stands until it is taken back itself."""
    with unit_of_work() as session:
        found = pickup_queries.load_recurring(session, current_actor(), recurring_id)
        service.end_recurring(session, current_actor(), found, now=now())
        return flask.jsonify(_recurring(found))


def _pickup(request: PickupRequest | None, stop: StopRequest, *, is_new: bool) -> dict[str, Any]:
    return {
        "id": None if request is None else request.id,
        "stop_id": stop.id,
        "status": stop.status,
        "channel": None if request is None else request.channel,
        "is_new": is_new,
        "facility_id": stop.facility_id,
        "contact_name": stop.contact_name,
        "contact_phone": stop.contact_phone,
        "address": stop.address,
        "day": stop.day.isoformat(),
        "window_from_s": stop.window_from_s,
        "window_to_s": stop.window_to_s,
        "pieces": stop.pieces,
        "weight_g": stop.weight_g,
        "volume_cm3": stop.volume_cm3,
    }


def _recurring(one: RecurringPickup) -> dict[str, Any]:
    return {
        "id": one.id,
        "facility_id": one.facility_id,
        "contact_name": one.contact_name,
        "address": one.address,
        "weekdays": one.weekdays,
        "first_day": one.first_day.isoformat(),
        "last_day": None if one.last_day is None else one.last_day.isoformat(),
        "window_from_s": one.window_from_s,
        "window_to_s": one.window_to_s,
        "ended": one.ended_at is not None,
    }
