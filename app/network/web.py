"""Pages: the network at a glance, a facility, a lane, a route on two topologies; districts for addresses."""

from __future__ import annotations

from datetime import timedelta, timezone

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.errors import InvalidInputError
from app.i18n import current as current_language
from app.network import (
    comparing,
    design_pages,
    facility_page,
    holiday_pages,
    labels,
    lane_page,
    loads,
    operation_pages,
    overview,
    queries,
    service,
)
from app.network.forms import CompareForm, FacilityFilterForm, HolidayForm, ReasonForm, RouteForm
from app.network.map_view import network_map
from app.network.models import LANE_CURRENCY, District, Facility
from app.network.routing_value import revision_of
from app.pagination import LIMIT_DEFAULT
from app.security import current_actor, requires, signed_in
from app.web import now, unit_of_work
from routing.network import FacilityKind, NoRoute

blueprint = APIBlueprint("network", __name__, enable_openapi=False)
holiday_pages.register(blueprint)
design_pages.register(blueprint)
operation_pages.register(blueprint)
for _name_of in (labels.facility_name, labels.city_name, labels.province_name):
    blueprint.add_app_template_filter(_name_of)

_DISTRICTS_SHOWN = 12
_LOADS_SHOWN = 20
# Places are written to in China's time until a facility says otherwise.
_OFFSET_MINUTES = 480


@blueprint.get("/network")
@requires(Scope.NETWORK_READ)
def index() -> flask.typing.ResponseReturnValue:
    """The network at a glance: a sentence, a map, a list."""
    form = FacilityFilterForm(flask.request.args)
    with unit_of_work() as session:
        form.offer_provinces(overview.provinces(session))
        status = 200 if form.validate() else 422
        wanted = overview.FacilityFilter()
        if status == 200:
            wanted = overview.FacilityFilter(
                kind=FacilityKind(form.kind.data) if form.kind.data else None,
                province=form.province.data or None,
                text=(form.q.data or "").strip() or None,
                closed={"open": False, "closed": True}.get(form.state.data or ""),
            )
        page = overview.list_facilities(session, wanted, flask.request.args.get("cursor"), LIMIT_DEFAULT)
        return flask.render_template(
            "network/index.html",
            form=form,
            glance=overview.glance(session),
            page=page,
            kinds=labels.KINDS,
            legend_items=[(labels.SERIES[kind], name) for kind, name in labels.KINDS.items()],
            operators=labels.OPERATORS,
        ), status


@blueprint.get("/network.geojson")
@requires(Scope.NETWORK_READ)
def geojson() -> flask.typing.ResponseReturnValue:
    """The network for the map; the browser keeps it until the network is another."""
    with unit_of_work() as session:
        etag = f"{revision_of(session)}-{current_language().code}"
        if flask.request.if_none_match.contains(etag):
            response = flask.Response(status=304)
        else:
            response = flask.jsonify(network_map(session))
            response.mimetype = "application/geo+json"
    response.set_etag(etag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(["Accept-Language", "Cookie"])
    return response


@blueprint.get("/network/facilities/<int:facility_id>")
@requires(Scope.NETWORK_READ)
def facility(facility_id: int) -> flask.typing.ResponseReturnValue:
    """A facility: what it is, and the lanes out of it and into it with today's departures."""
    with unit_of_work() as session:
        found = queries.load_facility(session, current_actor(), facility_id)
        return facility_page.render(session, found, ReasonForm(), HolidayForm(formdata=None))


@blueprint.post("/network/facilities/<int:facility_id>/<any(close, reopen):change>")
@requires(Scope.ADMIN)
def change_facility(facility_id: int, change: str) -> flask.typing.ResponseReturnValue:
    """Close a facility or open it again."""
    form = ReasonForm()
    with unit_of_work() as session:
        actor = current_actor()
        found = queries.load_facility(session, actor, facility_id)
        if not form.validate():
            return facility_page.render(session, found, form, HolidayForm(formdata=None)), 422
        act = service.close_facility if change == "close" else service.reopen_facility
        act(session, actor, found, reason=form.reason.data or "", now=now())
    flask.flash(
        _("Nothing is routed through it any more; parcels on their way are being planned anew.")
        if change == "close"
        else _("It is part of the network again."),
        "success",
    )
    return flask.redirect(flask.url_for(".facility", facility_id=facility_id))


@blueprint.get("/network/lanes/<int:lane_id>")
@requires(Scope.NETWORK_READ)
def lane(lane_id: int) -> flask.typing.ResponseReturnValue:
    """A lane with its timetable."""
    with unit_of_work() as session:
        found = queries.load_lane(session, current_actor(), lane_id)
        return lane_page.render(session, found, ReasonForm(), HolidayForm(formdata=None))


@blueprint.post("/network/lanes/<int:lane_id>/<any(close, reopen):change>")
@requires(Scope.ADMIN)
def change_lane(lane_id: int, change: str) -> flask.typing.ResponseReturnValue:
    """Close a lane or open it again."""
    form = ReasonForm()
    with unit_of_work() as session:
        actor = current_actor()
        found = queries.load_lane(session, actor, lane_id)
        if not form.validate():
            return lane_page.render(session, found, form, HolidayForm(formdata=None)), 422
        act = service.close_lane if change == "close" else service.reopen_lane
        act(session, actor, found, reason=form.reason.data or "", now=now())
    flask.flash(
        _("Nothing is planned with it any more; parcels on their way are being planned anew.")
        if change == "close"
        else _("It is part of the network again."),
        "success",
    )
    return flask.redirect(flask.url_for(".lane", lane_id=lane_id))


@blueprint.get("/network/route")
@requires(Scope.NETWORK_READ)
def route() -> flask.typing.ResponseReturnValue:
    """A parcel over the hub network, beside the same parcel point-to-point."""
    form = RouteForm(flask.request.args)
    context: dict[str, object] = {"choices": {}, "topologies": None}
    status = 200
    with unit_of_work() as session:
        if "ready" not in flask.request.args:  # nobody has asked yet; an end may be filled in by a link
            here = now().astimezone(timezone(timedelta(minutes=_OFFSET_MINUTES)))
            form.ready.data, form.weight_g.data = here.replace(tzinfo=None), 1000
        elif form.validate():
            status = _route(session, form, context)
        else:
            status = 422
        return flask.render_template(
            "network/route.html", form=form, labels=labels, currency=LANE_CURRENCY, **context
        ), status


def _route(session: Session, form: RouteForm, context: dict[str, object]) -> int:
    """Find out which places are meant, and plan when each is one; gives the status of the answer."""
    ends: dict[str, Facility] = {}
    choices: dict[str, list[Facility | District]] = {}
    for field in (form.origin, form.destination):
        try:
            meant = overview.places_named(session, current_actor(), field.data or "")
        except InvalidInputError:
            field.errors = [_("No open outlet serves this district.")]
            continue
        if isinstance(meant, Facility):
            ends[field.name] = meant
        elif meant:
            choices[field.name] = meant
            field.errors = [_("This may be several places; choose one below.")]
        else:
            field.errors = [_("No facility and no district has this name.")]
    context["choices"] = choices
    if len(ends) < 2:
        return 422
    origin, destination = ends["origin"], ends["destination"]
    assert form.ready.data is not None, "validated by the caller"
    assert form.weight_g.data is not None, "validated by the caller"
    ready_at = form.ready.data.replace(tzinfo=timezone(timedelta(minutes=origin.utc_offset_minutes)))
    topologies = overview.compare(session, origin, destination, ready_at, weight_g=form.weight_g.data)
    passed = {
        end
        for topology in topologies
        if topology.row is not None
        for leg in topology.row.itinerary.legs
        for end in (leg.from_facility_id, leg.to_facility_id)
    }
    context.update(
        origin=origin,
        destination=destination,
        topologies=topologies,
        places=queries.facilities_by_id(session, passed),
        reasons=[
            labels.NO_ROUTE[topology.error.reason] if isinstance(topology.error, NoRoute) else topology.error
            for topology in topologies
        ],
    )
    return 200


@blueprint.get("/network/compare")
@requires(Scope.NETWORK_READ)
def compare() -> flask.typing.ResponseReturnValue:
    """The same demand on five topologies, and what fails when the busiest hub closes."""
    asked = bool(flask.request.args.keys() & CompareForm.FIELDS)
    form = CompareForm(flask.request.args if asked else None)
    answer, status = None, 200
    with unit_of_work() as session:
        if asked and not form.validate():
            status = 422
        else:
            answer = comparing.compare_topologies(session, form.question, now=now())
        return flask.render_template(
            "network/compare.html",
            form=form,
            answer=answer,
            data=None if answer is None else comparing.comparison_map(answer),
            legend_items=comparing.legend_items(),
            loads=loads.centre_loads(session, now=now())[:_LOADS_SHOWN],
            topologies=labels.TOPOLOGIES,
            currency=LANE_CURRENCY,
        ), status


@blueprint.get("/districts")
@signed_in
def districts() -> flask.typing.ResponseReturnValue:
    """Districts by name, for address entry: `{items: [{adcode, name, city_name, province_name, ...}]}`."""
    text = flask.request.args.get("q", "")[:100]
    with unit_of_work() as session:
        found = queries.search_districts(session, text, _DISTRICTS_SHOWN)
        return flask.jsonify(
            items=[
                {
                    "adcode": row.adcode,
                    "name": row.name,
                    "city_name": row.city_name,
                    "province_name": row.province_name,
                    "latitude": row.latitude,
                    "longitude": row.longitude,
                }
                for row in found
            ]
        )
