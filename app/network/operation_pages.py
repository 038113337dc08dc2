"""How a facility is run, as its page changes it: hours, cut-off, rounds, sorting, operator."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.network import queries, working
from app.network.forms import OperationForm
from app.network.models import Facility
from app.security import current_actor, requires
from app.web import now, unit_of_work
from routing.network import HANDOVERS, Handover, InvalidNetworkError


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    path = "/network/facilities/<int:facility_id>/operation"
    blueprint.add_url_rule(path, "operation", show)
    blueprint.add_url_rule(path, "change_operation", change, methods=["POST"])


@requires(Scope.ADMIN)
def show(facility_id: int) -> flask.typing.ResponseReturnValue:
    """Change when a facility works, how much it sorts, and who runs it."""
    form = OperationForm()
    with unit_of_work() as session:
        facility = queries.load_facility(session, current_actor(), facility_id)
        form.show(working.operation_of(facility))
        return _page(facility, form)


@requires(Scope.ADMIN)
def change(facility_id: int) -> flask.typing.ResponseReturnValue:
    """Run a facility another way from now on."""
    form = OperationForm()
    with unit_of_work() as session:
        facility = queries.load_facility(session, current_actor(), facility_id)
        if not _change(session, facility, form):
            return _page(facility, form), 422
    flask.flash(_("It is run so from now on; parcels on their way are being planned anew."), "success")
    return flask.redirect(flask.url_for(".facility", facility_id=facility_id))


def _change(session: Session, facility: Facility, form: OperationForm) -> bool:
    """Whether it could be changed; what is wrong stands at the fields of the form."""
    operation = form.operation() if form.validate() else None
    if operation is None:
        return False
    try:
        working.change_operation(session, current_actor(), facility, operation, now=now())
    except InvalidNetworkError:
        # The form has looked at everything but the kind of the place.
        form.cutoff.errors = [_("It must lie after the opening of some day.")]
        return False
    return True


def _page(facility: Facility, form: OperationForm) -> str:
    ways = HANDOVERS[facility.kind]
    return flask.render_template(
        "network/operation.html",
        facility=facility,
        form=form,
        collects=bool(ways),
        delivers=Handover.DOOR in ways,
    )
