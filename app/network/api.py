"""The machine's door to the network: facilities, itineraries, districts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import flask
from pydantic import AfterValidator, AwareDatetime, Field

from app.accounts.roles import Scope
from app.api_schema import ApiInput, ApiOutput, PageQuery, page_answer
from app.network import api_designs, api_facilities, api_holidays, api_loads, overview, queries
from app.network.api_blueprint import blueprint
from app.network.models import LANE_CURRENCY, Facility
from app.security import current_actor, requires, signed_in
from app.web import unit_of_work
from routing.network import FacilityKind, Mode, Operator

__all__ = ["api_designs", "api_facilities", "api_holidays", "api_loads", "blueprint"]

_SQL_INTEGER_MAX = 2**63 - 1


def _of_this_century(moment: datetime) -> datetime:
    """Refuse what is no date of ours, and what calendars cannot add days to."""
    if not datetime(2000, 1, 1, tzinfo=UTC) <= moment < datetime(2100, 1, 1, tzinfo=UTC):
        raise ValueError("must lie between 2000 and 2100")
    return moment


class FacilityQuery(PageQuery):
    """Which facilities to list."""

    kind: FacilityKind | None = None
    province: str | None = Field(default=None, max_length=50)
    q: str | None = Field(default=None, max_length=100, description="Part of the code or of a name")


class FacilityOut(ApiOutput):
    """A place that handles parcels."""

    id: int
    code: str
    name: str
    name_en: str
    kind: FacilityKind
    operator: Operator
    parent_id: int | None
    district_adcode: str
    latitude: float
    longitude: float
    utc_offset_minutes: int
    timezone: str
    sort_s: int
    sort_per_hour: int | None
    closed: bool


class FacilityPage(ApiOutput):
    """A page of facilities."""

    items: list[FacilityOut]
    next_cursor: str | None


class ItineraryQuery(ApiInput):
    """A parcel to be routed."""

    from_facility_id: int = Field(ge=1, le=_SQL_INTEGER_MAX)
    to_facility_id: int = Field(ge=1, le=_SQL_INTEGER_MAX)
    ready_at: Annotated[AwareDatetime, AfterValidator(_of_this_century)] = Field(
        description="With an offset, for example 2026-03-02T09:00:00+08:00; between 2000 and 2100"
    )
    weight_g: int = Field(default=1000, ge=1, le=100_000_000)
    topology: Literal["hub", "point_to_point"] = "hub"


class LegOut(ApiOutput):
    """One planned line-haul; `lane_id` is null on a line that exists for comparison only."""

    sequence: int
    lane_id: int | None
    from_facility_id: int
    to_facility_id: int
    mode: Mode
    carrier: str
    departure_at: AwareDatetime
    arrival_at: AwareDatetime
    distance_m: int
    cost_minor: int


class ItineraryOut(ApiOutput):
    """The planned way of a parcel, and how many lines its topology has."""

    topology: str
    lines: int
    legs: list[LegOut]
    ready_at: AwareDatetime
    arrival_at: AwareDatetime
    transit_s: int
    distance_m: int
    handlings: int
    cost_minor: int
    currency: str


class DistrictQuery(ApiInput):
    """Which districts to find."""

    q: str = Field(min_length=1, max_length=100, description="Part of the name, or the beginning of the code")
    limit: int = Field(default=20, ge=1, le=100)


class DistrictOut(ApiOutput):
    """A county-level division; coordinates of its seat in WGS84 degrees."""

    adcode: str
    name: str
    city_name: str
    province_name: str
    latitude: float
    longitude: float


class DistrictList(ApiOutput):
    """Districts, the best match first."""

    items: list[DistrictOut]


@blueprint.get("/network/facilities")
@blueprint.input(FacilityQuery, location="query")
@blueprint.output(FacilityPage)
@blueprint.doc(summary="Facilities, in the order of their codes", security="bearer")
@requires(Scope.NETWORK_READ)
def facilities(query_data: FacilityQuery) -> flask.typing.ResponseReturnValue:
    """Facilities, in the order of their codes."""
    wanted = overview.FacilityFilter(query_data.kind, query_data.province, query_data.q)
    with unit_of_work() as session:
        page = overview.list_facilities(session, wanted, query_data.cursor, query_data.limit)
        return page_answer([_facility(row).model_dump(mode="json") for row in page.rows], page.next_cursor)


@blueprint.get("/network/itineraries")
@blueprint.input(ItineraryQuery, location="query")
@blueprint.output(ItineraryOut)
@blueprint.doc(summary="The way by which a parcel arrives first", security="bearer")
@requires(Scope.NETWORK_READ)
def itineraries(query_data: ItineraryQuery) -> ItineraryOut:
    """The way by which a parcel arrives first, on the hub network or as if every two places had a line."""
    actor = current_actor()
    with unit_of_work() as session:
        origin = queries.load_facility(session, actor, query_data.from_facility_id)
        destination = queries.load_facility(session, actor, query_data.to_facility_id)
        hub, direct = overview.compare(
            session, origin, destination, query_data.ready_at, weight_g=query_data.weight_g
        )
    chosen = hub if query_data.topology == "hub" else direct
    if chosen.row is None:
        assert chosen.error is not None, "a topology has an itinerary or the reason why not"
        raise chosen.error
    way = chosen.row.itinerary
    return ItineraryOut(
        topology=query_data.topology,
        lines=chosen.lines,
        legs=[
            LegOut.model_validate(
                {name: getattr(leg, name) for name in LegOut.model_fields} | {"lane_id": leg.lane_id or None}
            )
            for leg in way.legs
        ],
        ready_at=way.ready_at,
        arrival_at=way.arrival_at,
        transit_s=way.transit_s,
        distance_m=way.distance_m,
        handlings=way.handlings,
        cost_minor=way.cost_minor,
        currency=LANE_CURRENCY,
    )


@blueprint.get("/districts")
@blueprint.input(DistrictQuery, location="query")
@blueprint.output(DistrictList)
@blueprint.doc(summary="Districts by name or code", security="bearer")
@signed_in
def districts(query_data: DistrictQuery) -> DistrictList:
    """Districts by name or code, the best match first."""
    with unit_of_work() as session:
        found = queries.search_districts(session, query_data.q, query_data.limit)
        return DistrictList(items=[DistrictOut.model_validate(row) for row in found])


def _facility(row: Facility) -> FacilityOut:
    values = {name: getattr(row, name) for name in FacilityOut.model_fields if name != "closed"}
    return FacilityOut.model_validate(values | {"closed": row.closed_at is not None})
