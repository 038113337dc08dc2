"""What both pages share on which instructions are given: the forms that may be shown, and what they ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import flask
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from app.deliveries import applying, deciding, queries, service, targets
from app.deliveries.forms import AddressForm, PlainForm, PointForm, RedeliverForm, StopForm
from app.deliveries.models import Instruction
from app.deliveries.values import Asking, Wish
from app.deliveries.words import REFUSALS
from app.errors import AppError, BadRequestError, ConflictError, InvalidInputError
from app.network.models import District, Facility
from app.shipments.models import Shipment
from routing.network import Handover
from tracking.instructions import Asker, InstructionKind, Standing, may_be_withdrawn, refusal

ADDRESS, POINT = "address", "point"
_STOPS = {
    kind.value: kind
    for kind in InstructionKind
    if kind not in (InstructionKind.REDELIVER, InstructionKind.REDIRECT)
}


@dataclass(frozen=True, slots=True)
class Row:
    """An instruction as a list shows it."""

    instruction: Instruction
    district: District | None
    withdrawable: bool
    # Whether who looks may accept what it costs more.
    priced: bool


def forms_for(session: Session, shipment: Shipment, asking: Asking, now: datetime) -> dict[str, FlaskForm]:
    """A form for each thing that may be asked where the parcel stands, by what it asks."""
    found: dict[str, FlaskForm] = {}
    for kind in InstructionKind:
        if refusal(kind, asking.asker, shipment.milestone) is not None:
            continue
        if kind is InstructionKind.REDELIVER:
            if shipment.delivery_handover is Handover.DOOR:
                found[kind.value] = _redelivery(session, shipment, now)
        elif kind is InstructionKind.REDIRECT:
            found |= _redirections(session, shipment)
        elif kind is not InstructionKind.HOLD_AT_OUTLET or shipment.delivery_handover is not Handover.OUTLET:
            found[kind.value] = StopForm()
    return found


def handle(
    session: Session, shipment: Shipment, asking: Asking, forms: dict[str, FlaskForm], now: datetime
) -> int:
    """Ask what the sent form says; gives the status of the answer, 302 where it was taken.

    Raises:
        BadRequestError: no such form was offered.
    """
    name = flask.request.form.get("what", "")
    form = forms.get(name)
    if form is None:
        if name in {*_STOPS, ADDRESS, POINT, InstructionKind.REDELIVER.value}:
            flask.flash(_("That is no longer possible where the parcel stands now."), "error")
            return 302
        raise BadRequestError("the form is not one of ours")
    if not form.validate_on_submit():
        return 422
    try:
        row = service.ask(session, shipment, _wish(name, form), asking, now=now)
    except (ConflictError, InvalidInputError) as error:
        flask.flash(_refused_text(error), "error")
        return 302
    tell(row)
    return 302


def rows_of(session: Session, shipment: Shipment, asking: Asking) -> list[Row]:
    """Everything that was asked about a shipment, with what the asker may still take back."""
    where = applying.whereabouts(shipment)
    found = queries.instructions_of(session, shipment)
    return [
        Row(
            row,
            None if row.district_adcode is None else session.get(District, row.district_adcode),
            may_be_withdrawn(row.kind, row.standing, where) and asking.asker in (Asker.STAFF, row.asker),
            deciding.accepts_price(row, asking),
        )
        for row in found
    ]


def context(
    session: Session, shipment: Shipment, asking: Asking, forms: dict[str, FlaskForm]
) -> dict[str, Any]:
    """What the shared part of the templates shows."""
    rows = rows_of(session, shipment, asking)
    open_row = next((row for row in rows if row.instruction.standing in ("asked", "accepted")), None)
    return {
        "shipment": shipment,
        "rows": rows,
        "open_row": open_row,
        "forms": forms if open_row is None else {},
        "plain_form": PlainForm(formdata=None),
        "sent": flask.request.form.get("what"),
        "outlet": session.get_one(Facility, shipment.destination_facility_id),
    }


def _redelivery(session: Session, shipment: Shipment, now: datetime) -> RedeliverForm:
    form = RedeliverForm()
    form.offer(service.redelivery_days(session, shipment, now))
    return form


def _redirections(session: Session, shipment: Shipment) -> dict[str, FlaskForm]:
    address = AddressForm()
    address.offer(targets.districts_in_city(session, shipment))
    found: dict[str, FlaskForm] = {ADDRESS: address}
    points: Sequence[Facility] = targets.points_in_city(session, shipment)
    if points:
        point = PointForm()
        point.offer(points)
        found[POINT] = point
    return found


def _wish(name: str, form: FlaskForm) -> Wish:
    if isinstance(form, RedeliverForm | AddressForm | PointForm):
        return form.wish()
    assert isinstance(form, StopForm), "these are all the forms there are"
    return Wish(_STOPS[name], note=form.note.data or "")


def tell(row: Instruction) -> None:
    """Say what became of a wish."""
    if row.standing is Standing.REFUSED:
        assert row.refusal is not None, "what is refused has its reason"
        flask.flash(str(REFUSALS[row.refusal]), "error")
    elif row.standing is Standing.ASKED:
        flask.flash(_("It costs more than was paid. Accept the price here, or wait for our answer."), "info")
    else:
        flask.flash(_("It is arranged."), "success")


def _refused_text(error: AppError) -> str:
    if isinstance(error, ConflictError):
        return str(_("Something else is arranged already; take that back first."))
    return str(_("It cannot come on that day any more; choose another."))
