"""Pages of the service desk: the queue and new cases; `*_pages` hold the case, the customer, the public's."""

from __future__ import annotations

from typing import Any

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from app.accounts.roles import Role, Scope
from app.actor import Actor
from app.customers import service as customers
from app.customers.models import Customer, IdentityKind
from app.customers.queries import load_customer
from app.errors import InvalidInputError
from app.pagination import LIMIT_DEFAULT
from app.security import current_actor, requires
from app.servicedesk import case_pages, customer_pages, public_pages, queries, record, service, wording
from app.servicedesk.forms import CallerForm, NewCaseForm, QueueForm
from app.servicedesk.queries import CaseFilter, Show
from app.servicedesk.service import TakeResult
from app.servicedesk.values import CaseCategory, CaseChannel
from app.shipments import queries as shipments
from app.shipments.models import Shipment
from app.shipments.words import MILESTONES
from app.web import now, unit_of_work

blueprint = APIBlueprint("servicedesk", __name__, enable_openapi=False)
case_pages.register(blueprint)
customer_pages.register(blueprint)
public_pages.register(blueprint)

_SHIPMENTS_TO_CHOOSE_FROM = 30
_NO_SHIPMENT = "none"


@blueprint.app_context_processor
def _names() -> dict[str, Any]:
    return {
        "case_status": wording.STATUSES.__getitem__,
        "case_category": wording.CATEGORIES.__getitem__,
        "case_channel": wording.CHANNELS.__getitem__,
        "case_clock": wording.CLOCKS.__getitem__,
        "claim_status": wording.CLAIM_STATUSES.__getitem__,
        "loss_name": wording.LOSSES.__getitem__,
        "bearer_reason": wording.BEARER_REASONS.__getitem__,
        "event_name": wording.event_name,
        "refusal_name": wording.REFUSALS.__getitem__,
        "milestone_of": MILESTONES.__getitem__,
    }


@blueprint.get("/cases")
@requires(Scope.CASES_READ)
def queue() -> flask.typing.ResponseReturnValue:
    """Cases by what runs out first; every filter stands in the address."""
    with unit_of_work() as session:
        return _queue_page(session, [])


@blueprint.post("/cases/take")
@requires(Scope.CASES_WRITE)
def take() -> flask.typing.ResponseReturnValue:
    """Take the marked cases; each row tells what became of it."""
    actor = current_actor()
    numbers = flask.request.form.getlist("number")[:LIMIT_DEFAULT]
    with unit_of_work() as session:
        results = service.take_many(session, actor, numbers, now=now())
        return _queue_page(session, results)


@blueprint.route("/cases/new", methods=["GET", "POST"])
@requires(Scope.CASES_WRITE)
def new_case() -> flask.typing.ResponseReturnValue:
    """Open a case: for a caller found by phone, or as a shipper for himself."""
    actor = current_actor()
    with unit_of_work() as session:
        if actor.role == Role.SHIPPER:
            assert actor.subject_id is not None, "a shipper's login stands for a customer"
            customer = load_customer(session, actor, actor.subject_id)
        else:
            customer_id = flask.request.args.get("customer", type=int)
            if customer_id is None:
                return _who_is_calling(session)
            customer = load_customer(session, actor, customer_id)
        return _about_what(session, actor, customer)


def _queue_page(session: Session, results: list[TakeResult]) -> str:
    actor = current_actor()
    form = QueueForm(flask.request.args)
    valid = form.validate()
    show = next((part for part in Show if part.value == form.show.data), Show.UNRESOLVED)
    chosen = CaseFilter(show)
    if valid:
        chosen = CaseFilter(show, form.chosen_status, form.chosen_category, form.q.data)
    waybill_number = flask.request.args.get("shipment")
    if waybill_number is not None:  # a link from the shipment's page: all of its cases, closed ones too
        show, form.q.data = Show.ALL, waybill_number
        chosen = CaseFilter(show, text=waybill_number)
    page = queries.list_cases(
        session,
        actor,
        chosen,
        now=now(),
        cursor=flask.request.args.get("cursor"),
        limit=LIMIT_DEFAULT,
    )
    counted = queries.counts(session, actor, now=now())
    shipper = actor.role == Role.SHIPPER
    tabs = [
        {
            "label": name,
            "url": flask.url_for(".queue", show=None if part is Show.UNRESOLVED else part.value),
            "active": part is show,
            "count": counted.get(part),
        }
        for part, name in wording.SHOWS.items()
        if not shipper or part in (Show.UNRESOLVED, Show.ALL)
    ]
    return flask.render_template(
        "servicedesk/queue.html",
        form=form,
        page=page,
        tabs=tabs,
        counted=counted,
        show=show,
        results=results,
        now=now(),
        staff=not shipper,
        may_take=actor.may(Scope.CASES_WRITE) and not shipper,
    )


def _who_is_calling(session: Session) -> flask.typing.ResponseReturnValue:
    """First step on the phone: the record is found by the caller's phone, or made."""
    form = CallerForm(phone=flask.request.args.get("phone", ""))
    status = 200
    if form.validate_on_submit():
        try:
            known = customers.recognise(session, kind=IdentityKind.PHONE, value=form.phone.data or "")
            if known is None and (form.name.data or "").strip():
                known = customers.find_or_create(
                    session, name=form.name.data or "", phone=form.phone.data or "", now=now()
                )
        except InvalidInputError:
            form.phone.errors = [_("This is not a phone number. Write a landline with its area code.")]
        else:
            if known is not None:
                return flask.redirect(
                    flask.url_for(".new_case", customer=known.id, shipment=flask.request.args.get("shipment"))
                )
            form.name.errors = [_("Nobody is known by this phone. Ask for the name to make a record.")]
    if form.is_submitted():
        status = 422
    return flask.render_template("servicedesk/caller.html", form=form), status


def _about_what(session: Session, actor: Actor, customer: Customer) -> flask.typing.ResponseReturnValue:
    """Second step: one of the customer's shipments, and what happened to it."""
    form = NewCaseForm(waybill_number=flask.request.args.get("shipment", _NO_SHIPMENT))
    rows = list(
        record.own_shipments(session, record.all_ids(session, customer), limit=_SHIPMENTS_TO_CHOOSE_FROM)
    )
    wanted = form.waybill_number.data
    if wanted not in (None, _NO_SHIPMENT, *(row.waybill_number for row in rows)):
        rows.append(shipments.load_shipment(session, actor, wanted))
    form.waybill_number.choices = [
        *(SelectChoice(row.waybill_number, _shipment_label(row)) for row in rows),
        SelectChoice(_NO_SHIPMENT, _("About no shipment in particular")),
    ]
    if form.validate_on_submit():
        chosen = next((row for row in rows if row.waybill_number == form.waybill_number.data), None)
        case = service.open_case(
            session,
            customer_id=customer.id,
            shipment_id=None if chosen is None else chosen.id,
            channel=CaseChannel.PORTAL if actor.role == Role.SHIPPER else CaseChannel.PHONE,
            category=CaseCategory(form.category.data),
            subject=form.subject.data or "",
            body=form.body.data or "",
            actor=actor,
            now=now(),
        )
        flask.flash(_("The case %(number)s is open.", number=case.number), "success")
        return flask.redirect(flask.url_for(".case", number=case.number))
    status = 422 if form.is_submitted() else 200
    return flask.render_template("servicedesk/new_case.html", form=form, customer=customer), status


def _shipment_label(shipment: Shipment) -> str:
    milestone, _tone = MILESTONES[shipment.milestone]
    return str(
        _(
            "%(number)s · %(goods)s · %(state)s",
            number=shipment.waybill_number,
            goods=shipment.goods,
            state=milestone,
        )
    )
