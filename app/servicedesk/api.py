"""The machine's door to the service desk: cases, messages on them, the customer's line of time."""

from __future__ import annotations

from typing import Any

import flask
from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.accounts.queries import user_names
from app.accounts.roles import Role, Scope
from app.api_schema import page_answer
from app.customers.queries import load_customer
from app.errors import InvalidInputError
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.servicedesk import queries, record, service
from app.servicedesk.api_models import (
    CaseDetail,
    CaseIn,
    CaseOut,
    CasePage,
    CasesQuery,
    ClaimOut,
    EntryOut,
    EventOut,
    MessageIn,
    TimelinePage,
    TimelineQuery,
)
from app.servicedesk.case_view import INTERNAL
from app.servicedesk.models import Case, Claim
from app.servicedesk.queries import CaseFilter, CaseRow
from app.servicedesk.timeline import EntryKind, timeline
from app.servicedesk.values import CaseChannel, ClaimStatus
from app.shipments import queries as shipments
from app.shipments.models import Shipment
from app.web import now, unit_of_work

blueprint = APIBlueprint("servicedesk_api", __name__, url_prefix="/api/v1", tag="Service desk")


@blueprint.post("/cases")
@blueprint.input(CaseIn)
@blueprint.output(CaseDetail, status_code=201)
@blueprint.doc(summary="Open a case", security="bearer")
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
        return _detail(session, case), 201, {"Location": location}


@blueprint.get("/cases")
@blueprint.input(CasesQuery, location="query")
@blueprint.output(CasePage)
@blueprint.doc(summary="Cases by what runs out first", security="bearer")
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
        return page_answer([_in_list(row, staff=staff) for row in page.rows], page.next_cursor)


@blueprint.get("/cases/<number>")
@blueprint.output(CaseDetail)
@blueprint.doc(summary="One case with what happened to it", security="bearer")
@requires(Scope.CASES_READ)
def show_case(number: str) -> flask.typing.ResponseReturnValue:
    """A case that the asker may know of."""
    with unit_of_work() as session:
        return _detail(session, queries.load_case(session, current_actor(), number))


@blueprint.post("/cases/<number>/messages")
@blueprint.input(MessageIn)
@blueprint.output(CaseDetail, status_code=201)
@blueprint.doc(summary="Write on a case", security="bearer")
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
        return _detail(session, case), 201


@blueprint.get("/customers/<int:customer_id>/timeline")
@blueprint.input(TimelineQuery, location="query")
@blueprint.output(TimelinePage)
@blueprint.doc(summary="Everything that happened with a customer, newest first", security="bearer")
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


def _in_list(row: CaseRow, *, staff: bool) -> dict[str, Any]:
    return _case(row.case, row.waybill_number, row.owner_name if staff else None).model_dump(mode="json")


def _case(case: Case, waybill_number: str | None, owner_name: str | None) -> CaseOut:
    return CaseOut(
        number=case.number,
        status=case.status,
        category=case.category,
        channel=case.channel,
        subject=case.subject,
        customer_id=case.customer_id,
        waybill_number=waybill_number,
        opened_at=case.opened_at,
        due_at=case.due_at,
        due_clock=case.due_clock,
        owner_name=owner_name,
        version=case.version,
    )


def _detail(session: Session, case: Case) -> dict[str, Any]:
    staff = current_actor().role != Role.SHIPPER
    names = user_names(
        session, {user_id for user_id in (case.owner_id, *(e.user_id for e in case.events)) if user_id}
    )
    shipment = None if case.shipment_id is None else session.get_one(Shipment, case.shipment_id)
    listed = _case(
        case,
        None if shipment is None else shipment.waybill_number,
        names.get(case.owner_id or 0) if staff else None,
    )
    detail = CaseDetail(
        **listed.model_dump(),
        resolution=case.resolution,
        events=[
            EventOut(
                sequence=event.sequence,
                kind=event.kind,
                at=event.at,
                by=names.get(event.user_id or 0) if staff else None,
                body=event.body,
            )
            for event in case.events
            if staff or event.kind not in INTERNAL
        ],
        claims=[
            _claim(claim, staff=staff) for claim in case.claims if staff or claim.status is ClaimStatus.POSTED
        ],
    )
    return detail.model_dump(mode="json")


def _claim(claim: Claim, *, staff: bool) -> ClaimOut:
    return ClaimOut(
        id=claim.id,
        kind=claim.kind,
        status=claim.status,
        currency=claim.currency,
        claimed_minor=claim.claimed_minor,
        award_minor=claim.award_minor,
        instrument=claim.instrument,
        article=claim.article,
        formula=claim.formula,
        bearer_party_id=claim.bearer_party_id if staff else None,
        evidence=claim.evidence if staff else [],
    )
