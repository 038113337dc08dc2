"""Cases for machines: opened, listed, written on; the customer's line of time."""

from __future__ import annotations

import flask

from app.accounts.roles import Role, Scope
from app.api_schema import BEARER, page_answer
from app.customers.queries import load_customer
from app.errors import InvalidInputError
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.servicedesk import queries, record, service
from app.servicedesk.answers import detail_answer, list_answer
from app.servicedesk.api_blueprint import blueprint
from app.servicedesk.api_models import (
    CaseDetail,
    CaseIn,
    CasePage,
    CasesQuery,
    EntryOut,
    MessageIn,
    TimelinePage,
    TimelineQuery,
)
from app.servicedesk.queries import CaseFilter
from app.servicedesk.timeline import EntryKind, timeline
from app.servicedesk.values import CaseChannel
from app.shipments import queries as shipments
from app.web import now, unit_of_work


@blueprint.post("/cases")
@blueprint.input(CaseIn)
@blueprint.output(CaseDetail, status_code=201)
@blueprint.doc(summary="Open a case", security=BEARER)
@requires(Scope.CASES_WRITE)
@idempotent
def open_case(json_data: CaseIn) -> flask.typing.ResponseReturnValue:
    """Open a case on a customer's record."""
    actor = current_actor()
    with unit_of_work() as session:
        shipment = (
            None
            if json_data.waybill_number is None
            else shipments.load_shipment(session, actor, json_data.waybill_number)
        )
        if actor.role == Role.SHIPPER:
            customer_id = actor.subject_id
        else:
            customer_id = json_data.customer_id or (None if shipment is None else shipment.customer_id)
        if customer_id is None:
            raise InvalidInputError(
                "say who complains", [{"detail": "is missing", "pointer": "/customer_id"}]
            )
        case = service.open_case(
            session,
            customer_id=customer_id,
            shipment_id=None if shipment is None else shipment.id,
            channel=CaseChannel.API,
            category=json_data.category,
            subject=json_data.subject,
            body=json_data.body,
            actor=actor,
            now=now(),
        )
        location = flask.url_for(".show_case", number=case.number)
        return detail_answer(session, case, staff=actor.role != Role.SHIPPER), 201, {"Location": location}


@blueprint.get("/cases")
@blueprint.input(CasesQuery, location="query")
@blueprint.output(CasePage)
@blueprint.doc(summary="Cases by what runs out first", security=BEARER)
@requires(Scope.CASES_READ)
def list_cases(query_data: CasesQuery) -> flask.typing.ResponseReturnValue:
    """Cases that the asker may know of."""
    actor = current_actor()
    chosen = CaseFilter(query_data.show, query_data.status, query_data.category, query_data.q)
    with unit_of_work() as session:
        page = queries.list_cases(
            session, actor, chosen, now=now(), cursor=query_data.cursor, limit=query_data.limit
        )
        staff = actor.role != Role.SHIPPER
        return page_answer([list_answer(row, staff=staff) for row in page.rows], page.next_cursor)


@blueprint.get("/cases/<number>")
@blueprint.output(CaseDetail)
@blueprint.doc(summary="One case with what happened to it", security=BEARER)
@requires(Scope.CASES_READ)
def show_case(number: str) -> flask.typing.ResponseReturnValue:
    """A case that the asker may know of."""
    actor = current_actor()
    with unit_of_work() as session:
        case = queries.load_case(session, actor, number)
        return detail_answer(session, case, staff=actor.role != Role.SHIPPER)


@blueprint.post("/cases/<number>/messages")
@blueprint.input(MessageIn)
@blueprint.output(CaseDetail, status_code=201)
@blueprint.doc(summary="Write on a case", security=BEARER)
@requires(Scope.CASES_WRITE)
@idempotent
def write(number: str, json_data: MessageIn) -> flask.typing.ResponseReturnValue:
    """Say something as the customer, or answer or note as the desk."""
    actor = current_actor()
    with unit_of_work() as session:
        case = queries.load_case(session, actor, number)
        if actor.role == Role.SHIPPER:
            service.customer_message(session, case, json_data.body, now=now(), actor=actor)
        elif json_data.internal:
            service.note(session, actor, case, json_data.body, now=now(), version=json_data.version)
        else:
            service.reply(session, actor, case, json_data.body, now=now(), version=json_data.version)
        return detail_answer(session, case, staff=actor.role != Role.SHIPPER), 201


@blueprint.get("/customers/<int:customer_id>/timeline")
@blueprint.input(TimelineQuery, location="query")
@blueprint.output(TimelinePage)
@blueprint.doc(summary="Everything that happened with a customer, newest first", security=BEARER)
@requires(Scope.CUSTOMERS_READ)
def customer_timeline(customer_id: int, query_data: TimelineQuery) -> flask.typing.ResponseReturnValue:
    """Shipments, key moments, orders, cases and claims on one line."""
    kinds = frozenset(EntryKind) if query_data.kind is None else frozenset({query_data.kind})
    with unit_of_work() as session:
        customer = load_customer(session, current_actor(), customer_id)
        ids = record.all_ids(session, customer)
        page = timeline(session, ids, kinds=kinds, cursor=query_data.cursor, limit=query_data.limit)
        rows = [EntryOut.model_validate(entry).model_dump(mode="json") for entry in page.rows]
        return page_answer(rows, page.next_cursor)
