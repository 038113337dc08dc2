"""Hand a shipment on to another carrier, from its page."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _

from app.accounts.roles import Scope
from app.errors import ConflictError
from app.security import current_actor, requires
from app.shipments import forwarding, queries
from app.shipments.forms import ForwardingForm
from app.shipments.staff_pages import shipment_page
from app.web import now, unit_of_work

ANCHOR = "forwarding"


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/shipments/<number>/forwarding", "forward", forward, methods=["POST"])
    blueprint.add_url_rule(
        "/shipments/<number>/forwarding/forget", "forget_forwarding", forget, methods=["POST"]
    )


@requires(Scope.EXCEPTIONS_WRITE)
def forward(number: str) -> flask.typing.ResponseReturnValue:
    """Write down that another carrier takes it further; a refused form keeps what was typed."""
    form = ForwardingForm()
    actor = current_actor()
    with unit_of_work() as session:
        shipment = queries.load_shipment(session, actor, number)
        if form.validate_on_submit():
            try:
                done = forwarding.forward(
                    session, actor, shipment, form.number.data or "", form.carrier.data or None, now=now()
                )
            except forwarding.UnknownNumberError:
                form.number.errors = [
                    _("No carrier we know has numbers like this, or its check digit is wrong. Read it again.")
                ]
            except forwarding.AmbiguousNumberError as error:
                names = _(", ").join(one.carrier_name for one in error.candidates)
                form.carrier.errors = [_("The number may be of %(names)s. Choose which.", names=names)]
            except ConflictError:
                form.number.errors = [_("It is not on its way and cannot be handed on.")]
            else:
                flask.flash(_("%(carrier)s takes it further.", carrier=done.carrier_name), "success")
                return _back(number)
        return shipment_page(session, shipment, forwarding_form=form), 422


@requires(Scope.EXCEPTIONS_WRITE)
def forget(number: str) -> flask.typing.ResponseReturnValue:
    """Take a number back that was written down by mistake."""
    actor = current_actor()
    with unit_of_work() as session:
        shipment = queries.load_shipment(session, actor, number)
        forwarding.forget(session, actor, shipment, flask.request.form.get("number", ""), now=now())
    flask.flash(_("The number is taken back."), "success")
    return _back(number)


def _back(number: str) -> flask.typing.ResponseReturnValue:
    return flask.redirect(flask.url_for("shipments.show", number=number, _anchor=ANCHOR))
