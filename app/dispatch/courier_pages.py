"""Couriers of an outlet: shifts, vehicles, who is at work."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _

from app.accounts.roles import Scope
from app.dispatch import queries, service
from app.dispatch.areas import areas_of, territory_of
from app.dispatch.asked import asked_outlet
from app.dispatch.forms import CourierForm
from app.dispatch.skills import known_skills
from app.errors import NotFoundError
from app.security import current_actor, requires
from app.web import now, unit_of_work


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/dispatch/couriers", "couriers", index)
    blueprint.add_url_rule("/dispatch/couriers/<int:courier_id>", "courier", edit, methods=["GET", "POST"])


@requires(Scope.DISPATCH_READ)
def index() -> flask.typing.ResponseReturnValue:
    """The couriers of the outlet in the address, or of the first that has any."""
    with unit_of_work() as session:
        facility = asked_outlet(session)
        return flask.render_template(
            "dispatch/couriers.html",
            facility=facility,
            outlets=queries.outlets_with_couriers(session),
            couriers=[] if facility is None else queries.list_couriers(session, facility.id),
        )


@requires(Scope.DISPATCH_WRITE)
def edit(courier_id: int) -> flask.typing.ResponseReturnValue:
    """Change a courier's shift, breaks, skills and vehicle."""
    with unit_of_work() as session:
        actor = current_actor()
        courier = queries.load_courier(session, actor, courier_id)
        if not actor.may(Scope.DISPATCH_READ):
            raise NotFoundError("no such courier")
        areas = areas_of(session, courier.facility_id)
        form = CourierForm.of(courier, areas, territory_of(session, courier))
        status = 200
        if form.validate_on_submit():
            service.change_courier(session, actor, courier, **form.changes(), now=now())
            flask.flash(_("Saved. Plans made from now on go by it."), "success")
            return flask.redirect(flask.url_for(".couriers", facility=courier.facility_id))
        if form.is_submitted():
            status = 422
        known = known_skills(session)
        return flask.render_template("dispatch/courier.html", courier=courier, form=form, known=known), status
