"""Areas of an outlet: listed on a map with who is at home where, drawn, changed, deleted."""

from __future__ import annotations

from collections.abc import Sequence

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.dispatch import area_map, queries, service
from app.dispatch.area_forms import AreaForm, fault_text
from app.dispatch.area_models import Area
from app.dispatch.areas import RingError, areas_of, homes_of, load_area
from app.dispatch.asked import asked_outlet
from app.dispatch.rings import size_m2
from app.errors import BadRequestError, ConflictError
from app.network import queries as network
from app.network.models import Facility
from app.security import current_actor, requires
from app.web import now, unit_of_work


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    both = ["GET", "POST"]
    blueprint.add_url_rule("/dispatch/areas", "areas", index)
    blueprint.add_url_rule("/dispatch/areas/new", "new_area", new, methods=both)
    blueprint.add_url_rule("/dispatch/areas/<int:area_id>", "area", edit, methods=both)
    blueprint.add_url_rule("/dispatch/areas/<int:area_id>/remove", "remove_area", remove, methods=["POST"])


@requires(Scope.DISPATCH_READ)
def index() -> flask.typing.ResponseReturnValue:
    """The areas of the outlet in the address, or of the first that has couriers."""
    with unit_of_work() as session:
        facility = asked_outlet(session)
        areas: Sequence[Area] = [] if facility is None else areas_of(session, facility.id)
        return flask.render_template(
            "dispatch/areas.html",
            facility=facility,
            outlets=queries.outlets_with_couriers(session),
            areas=areas,
            sizes={area.id: size_m2(area.ring) / 1e6 for area in areas},
            homes={} if facility is None else homes_of(session, facility.id),
            drawn=None if facility is None else area_map.areas_map(facility, areas),
        )


@requires(Scope.DISPATCH_WRITE)
def new() -> flask.typing.ResponseReturnValue:
    """Draw an area of the outlet in the address."""
    facility_id = flask.request.args.get("facility", type=int)
    if facility_id is None:
        raise BadRequestError("an outlet is needed")
    with unit_of_work() as session:
        return _form(session, network.load_facility(session, current_actor(), facility_id), None)


@requires(Scope.DISPATCH_WRITE)
def edit(area_id: int) -> flask.typing.ResponseReturnValue:
    """Change an area's corners, name or closed hours."""
    with unit_of_work() as session:
        area = load_area(session, current_actor(), area_id)
        return _form(session, network.load_facility(session, current_actor(), area.facility_id), area)


@requires(Scope.DISPATCH_WRITE)
def remove(area_id: int) -> flask.typing.ResponseReturnValue:
    """Delete an area in which nobody is at home."""
    with unit_of_work() as session:
        area = load_area(session, current_actor(), area_id)
        home = homes_of(session, area.facility_id).get(area.id, ())
        if home:
            names = ", ".join(courier.name for courier in home)
            refused = _("At home there: %(names)s. Give them other areas first.", names=names)
            flask.flash(refused, "error")
            return flask.redirect(flask.url_for(".area", area_id=area_id))
        service.delete_area(session, current_actor(), area, now=now())
        flask.flash(_("Deleted. Plans made from now on go by it."), "success")
        return flask.redirect(flask.url_for(".areas", facility=area.facility_id))


def _form(session: Session, facility: Facility, area: Area | None) -> flask.typing.ResponseReturnValue:
    form = AreaForm.of(area)
    if form.validate_on_submit() and _saved(session, facility, area, form):
        flask.flash(_("Saved. Plans made from now on go by it."), "success")
        return flask.redirect(flask.url_for(".areas", facility=facility.id))
    page = flask.render_template(
        "dispatch/area.html",
        facility=facility,
        area=area,
        form=form,
        home=() if area is None else homes_of(session, facility.id).get(area.id, ()),
        around=area_map.around_map(session, facility, area),
    )
    return page, 422 if form.is_submitted() else 200


def _saved(session: Session, facility: Facility, area: Area | None, form: AreaForm) -> bool:
    """Whether the form was saved; otherwise it says what is wrong."""
    actor, moment = current_actor(), now()
    name, ring, closed = form.name.data or "", form.corners(), form.hours()
    try:
        if area is None:
            service.create_area(
                session, actor, facility_id=facility.id, name=name, ring=ring, closed=closed, now=moment
            )
        else:
            service.change_area(session, actor, area, name=name, ring=ring, closed=closed, now=moment)
    except RingError as error:
        form.ring.errors = [fault_text(error.found)]
        return False
    except ConflictError as error:
        taken = error.extra.get("reason") == "name_taken"
        form.name.errors = [_("This name is taken.") if taken else _("The outlet has too many areas.")]
        return False
    return True
