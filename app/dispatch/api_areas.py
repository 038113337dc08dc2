"""The machine's door to an outlet's areas: rings on the map, and when they are closed to whom."""

from __future__ import annotations

from typing import Annotated, Any

import flask
from pydantic import Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.dispatch import service
from app.dispatch.api_blueprint import blueprint
from app.dispatch.api_models import ID_MAX
from app.dispatch.area_models import Area
from app.dispatch.areas import AREAS_MAX, CLOSED_MAX, NAME_MAX, areas_of, homes_of, load_area
from app.dispatch.models import VehicleClass
from app.dispatch.rings import CORNERS_MAX, CORNERS_MIN
from app.dispatch.service import ClosedHours
from app.idempotency import idempotent
from app.network import queries as network
from app.security import current_actor, requires
from app.web import now, unit_of_work

DAY_S = 24 * 3600
_Degree = Annotated[float, Field(ge=-180, le=180)]


class AreaQuery(ApiInput):
    """Whose areas."""

    facility_id: int = Field(ge=1, le=ID_MAX)


class ClosedHoursIn(ApiInput):
    """Hours of every day in which some vehicles may not begin service. Seconds count from local midnight."""

    vehicle_classes: list[VehicleClass] = Field(min_length=1, max_length=len(VehicleClass))
    from_s: int = Field(ge=0, lt=DAY_S)
    to_s: int = Field(gt=0, le=DAY_S, description="Open again from here on; later than `from_s`")


class AreaChangeIn(ApiInput):
    """An area as it is to be."""

    name: str = Field(min_length=1, max_length=NAME_MAX, description="Unique at its outlet")
    ring: list[Annotated[list[_Degree], Field(min_length=2, max_length=2)]] = Field(
        min_length=CORNERS_MIN,
        max_length=CORNERS_MAX + 1,
        description="Corners in order: latitude, longitude (WGS 84). The last is joined to the first",
    )
    closed: list[ClosedHoursIn] = Field(default=[], max_length=CLOSED_MAX)


class AreaIn(AreaChangeIn):
    """An area to be drawn."""

    facility_id: int = Field(ge=1, le=ID_MAX, description="The outlet")


class ClosedHoursOut(ApiOutput):
    """Hours of every day in which some vehicles may not begin service."""

    vehicle_classes: list[VehicleClass]
    from_s: int
    to_s: int


class AreaOut(ApiOutput):
    """An area of an outlet."""

    id: int
    facility_id: int
    name: str
    ring: list[list[float]]
    closed: list[ClosedHoursOut]
    courier_ids: list[int] = Field(description="Who is at home there")


class AreasOut(ApiOutput):
    """An outlet's areas by name."""

    items: list[AreaOut] = Field(max_length=AREAS_MAX)


@blueprint.get("/dispatch/areas")
@blueprint.input(AreaQuery, location="query")
@blueprint.output(AreasOut)
@blueprint.doc(summary="An outlet's areas", security=BEARER)
@requires(Scope.DISPATCH_READ)
def list_areas(query_data: AreaQuery) -> flask.typing.ResponseReturnValue:
    """With who is at home in them, and the hours in which they are closed to whom."""
    with unit_of_work() as session:
        network.load_facility(session, current_actor(), query_data.facility_id)
        homes = homes_of(session, query_data.facility_id)
        found = areas_of(session, query_data.facility_id)
        return flask.jsonify(
            {"items": [_answer(area, [one.id for one in homes.get(area.id, ())]) for area in found]}
        )


@blueprint.post("/dispatch/areas")
@blueprint.input(AreaIn)
@blueprint.output(AreaOut, status_code=201)
@blueprint.doc(summary="Draw an area", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def draw_area(json_data: AreaIn) -> flask.typing.ResponseReturnValue:
    """Plans made from now on go by it; where areas overlap the smaller has the stop."""
    with unit_of_work() as session:
        area = service.create_area(
            session,
            current_actor(),
            facility_id=json_data.facility_id,
            name=json_data.name,
            ring=json_data.ring,
            closed=_hours(json_data.closed),
            now=now(),
        )
        return flask.jsonify(_answer(area, [])), 201


@blueprint.get("/dispatch/areas/<int:area_id>")
@blueprint.output(AreaOut)
@blueprint.doc(summary="An area", security=BEARER)
@requires(Scope.DISPATCH_READ)
def show_area(area_id: int) -> flask.typing.ResponseReturnValue:
    """Its corners, its closed hours, and who is at home there."""
    with unit_of_work() as session:
        area = load_area(session, current_actor(), area_id)
        home = homes_of(session, area.facility_id).get(area.id, ())
        return flask.jsonify(_answer(area, [one.id for one in home]))


@blueprint.post("/dispatch/areas/<int:area_id>")
@blueprint.input(AreaChangeIn)
@blueprint.output(AreaOut)
@blueprint.doc(summary="Change an area", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def redraw_area(area_id: int, json_data: AreaChangeIn) -> flask.typing.ResponseReturnValue:
    """All of it; plans made before stay as they are."""
    with unit_of_work() as session:
        area = load_area(session, current_actor(), area_id)
        service.change_area(
            session,
            current_actor(),
            area,
            name=json_data.name,
            ring=json_data.ring,
            closed=_hours(json_data.closed),
            now=now(),
        )
        home = homes_of(session, area.facility_id).get(area.id, ())
        return flask.jsonify(_answer(area, [one.id for one in home]))


@blueprint.post("/dispatch/areas/<int:area_id>/remove")
@blueprint.doc(summary="Delete an area", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def delete_area(area_id: int) -> flask.typing.ResponseReturnValue:
    """Refused while couriers are at home in it."""
    with unit_of_work() as session:
        service.delete_area(session, current_actor(), load_area(session, current_actor(), area_id), now=now())
    return flask.jsonify(removed=area_id)


def _hours(rows: list[ClosedHoursIn]) -> list[ClosedHours]:
    return [ClosedHours(frozenset(row.vehicle_classes), row.from_s, row.to_s) for row in rows]


def _answer(area: Area, courier_ids: list[int]) -> dict[str, Any]:
    return {
        "id": area.id,
        "facility_id": area.facility_id,
        "name": area.name,
        "ring": area.ring,
        "closed": area.closed,
        "courier_ids": courier_ids,
    }
