"""Pages of a pickup point: what waits, leaving parcels there, giving them out, taking them back."""

from __future__ import annotations

from typing import Any

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.deliveries import batches, queries, service
from app.deliveries.door_models import Means
from app.deliveries.door_values import Paid
from app.deliveries.forms import CompartmentForm, DepositForm, FetchForm, PlainForm
from app.deliveries.points import Fetching, Leaving
from app.deliveries.words import DEPOSIT_REFUSALS, TRIES
from app.errors import ConflictError, InvalidInputError, NotFoundError
from app.network import queries as network
from app.network import service as network_service
from app.network.models import Facility
from app.pagination import LIMIT_DEFAULT
from app.security import current_actor, requires
from app.web import now, unit_of_work
from routing.network import FacilityKind
from tracking.pickup import OVERDUE_AFTER


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/points", "points", points)
    blueprint.add_url_rule("/points/<int:facility_id>", "point", point)
    blueprint.add_url_rule("/points/<int:facility_id>/deposit", "deposit", deposit, methods=["POST"])
    blueprint.add_url_rule("/points/<int:facility_id>/take-out", "take_out", take_out, methods=["POST"])
    blueprint.add_url_rule(
        "/points/<int:facility_id>/take-back/<int:deposit_id>", "take_back", take_back, methods=["POST"]
    )
    blueprint.add_url_rule(
        "/points/<int:facility_id>/compartments", "compartment", compartment, methods=["POST"]
    )


@requires(Scope.SCANS_WRITE)
def points() -> flask.typing.ResponseReturnValue:
    """The points that the asker works with; his own at once where there is one."""
    with unit_of_work() as session:
        rows = queries.points_of(session, current_actor())
        if len(rows) == 1:
            return flask.redirect(flask.url_for(".point", facility_id=rows[0][0].id))
        return flask.render_template("deliveries/points.html", rows=rows)


@requires(Scope.SCANS_WRITE)
def point(facility_id: int) -> flask.typing.ResponseReturnValue:
    """What waits at a point, and what is done there."""
    with unit_of_work() as session:
        return _page(session, queries.load_point(session, current_actor(), facility_id))


@requires(Scope.SCANS_WRITE)
def deposit(facility_id: int) -> flask.typing.ResponseReturnValue:
    """Leave the parcels whose numbers were scanned, one a line; each is answered."""
    form, actor = DepositForm(), current_actor()
    with unit_of_work() as session:
        facility = queries.load_point(session, actor, facility_id)
        if not form.validate_on_submit():
            return _page(session, facility, deposit_form=form), 422
        left = Leaving(facility.id, compartment=(form.compartment.data or "").strip() or None)
        numbers = form.listed()
        try:
            results = batches.deposit_many(session, actor, [(number, left) for number in numbers], now=now())
        except InvalidInputError:
            form.numbers.errors = [_("At most %(count)s parcels at once.", count=batches.BATCH_MAX)]
            return _page(session, facility, deposit_form=form), 422
        refused = [(one.number, DEPOSIT_REFUSALS[one.why]) for one in results if one.why is not None]
        if not refused:
            flask.flash(_("%(count)s left here; their consignees are told.", count=len(results)), "success")
            return flask.redirect(flask.url_for(".point", facility_id=facility_id))
        return _page(session, facility, refused=refused, left=len(results) - len(refused))


@requires(Scope.SCANS_WRITE)
def take_out(facility_id: int) -> flask.typing.ResponseReturnValue:
    """Give a parcel to whoever has its code."""
    form, actor = FetchForm(), current_actor()
    with unit_of_work() as session:
        facility = queries.load_point(session, actor, facility_id)
        if not form.validate_on_submit():
            return _page(session, facility, fetch_form=form), 422
        amount = form.paid.data
        fetching = Fetching(
            form.number.data or "",
            form.code.data or "",
            facility.id,
            None if amount is None else Paid(amount, Means(form.means.data)),
        )
        try:
            became, _row = service.take_out(session, actor, fetching, now=now())
        except NotFoundError:
            form.number.errors = [_("No such parcel waits here.")]
            return _page(session, facility, fetch_form=form), 422
        except (InvalidInputError, ConflictError):
            form.paid.errors = [_("Cash is due; it must be paid in full, and not more.")]
            return _page(session, facility, fetch_form=form), 422
    text, tone = TRIES[became]
    flask.flash(str(text), tone)
    return flask.redirect(flask.url_for(".point", facility_id=facility_id))


@requires(Scope.SCANS_WRITE)
def take_back(facility_id: int, deposit_id: int) -> flask.typing.ResponseReturnValue:
    """Bring what nobody fetched in time back to the outlet."""
    actor = current_actor()
    with unit_of_work() as session:
        queries.load_point(session, actor, facility_id)
        row = queries.load_deposit(session, actor, deposit_id)
        service.take_back(session, actor, row, now=now())
    flask.flash(_("It waits at the outlet now, under a new code."), "success")
    return flask.redirect(flask.url_for(".point", facility_id=facility_id))


@requires(Scope.ADMIN)
def compartment(facility_id: int) -> flask.typing.ResponseReturnValue:
    """Enter a compartment of a locker, or change its size."""
    form, actor = CompartmentForm(), current_actor()
    with unit_of_work() as session:
        facility = queries.load_point(session, actor, facility_id)
        if not form.validate_on_submit():
            return _page(session, facility, compartment_form=form), 422
        size = form.length_mm.data or 0, form.width_mm.data or 0, form.height_mm.data or 0
        network_service.set_compartment(
            session, actor, facility, code=form.code.data or "", size=size, now=now()
        )
    flask.flash(_("Saved."), "success")
    return flask.redirect(flask.url_for(".point", facility_id=facility_id))


def _page(session: Session, facility: Facility, **given: Any) -> str:
    actor = current_actor()
    page = queries.deposits_at(
        session,
        facility.id,
        overdue=flask.request.args.get("show") == "overdue",
        cursor=flask.request.args.get("cursor"),
        limit=LIMIT_DEFAULT,
    )
    is_locker = facility.kind is FacilityKind.LOCKER
    context: dict[str, Any] = {
        "facility": facility,
        "page": page,
        "fetch_within": OVERDUE_AFTER,
        "is_locker": is_locker,
        "compartments": network.compartments(session, facility.id) if is_locker else [],
        "may_change": actor.may(Scope.ADMIN) and is_locker,
        "deposit_form": DepositForm(formdata=None),
        "fetch_form": FetchForm(formdata=None),
        "compartment_form": CompartmentForm(formdata=None),
        "plain_form": PlainForm(formdata=None),
        "refused": [],
        "left": 0,
    }
    return flask.render_template("deliveries/point.html", **context | given)
