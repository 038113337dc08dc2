"""Shipments for machines: list, one, its label, its receipt, its cancellation."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import flask

from app.accounts.roles import Scope
from app.accounts.service import audit
from app.api_schema import BEARER, page_answer
from app.errors import ForbiddenError
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.shipments import queries, service
from app.shipments.answers import detail_answer, shipment_answer
from app.shipments.api_blueprint import blueprint
from app.shipments.api_models import ShipmentDetail, ShipmentOut, ShipmentPage, ShipmentQuery
from app.shipments.label_pages import ZPL_TYPE, label_response, zpl_response
from app.shipments.queries import ShipmentFilters
from app.shipments.story import story_of
from app.web import now, unit_of_work


@blueprint.get("/shipments")
@blueprint.input(ShipmentQuery, location="query")
@blueprint.output(ShipmentPage)
@blueprint.doc(summary="Shipments, the latest booked first", security=BEARER)
@requires(Scope.SHIPMENTS_READ)
def shipments(query_data: ShipmentQuery) -> flask.typing.ResponseReturnValue:
    """The shipments that the asker may know of."""
    zone = timezone(timedelta(minutes=query_data.offset_minutes))
    until = query_data.to_day
    filters = ShipmentFilters(
        milestone=query_data.milestone,
        problems=query_data.problems,
        text=query_data.text,
        booked_from=_midnight(query_data.from_day, zone),
        booked_until=None if until is None else _midnight(until + timedelta(days=1), zone),
        facility_id=query_data.facility_id,
    )
    with unit_of_work() as session:
        page = queries.list_shipments(session, current_actor(), filters, query_data.cursor, query_data.limit)
        return page_answer([shipment_answer(row) for row in page.rows], page.next_cursor)


@blueprint.get("/shipments/<number>")
@blueprint.output(ShipmentDetail)
@blueprint.doc(summary="A shipment with its legs, scans and proofs", security=BEARER)
@requires(Scope.SHIPMENTS_READ)
def shipment(number: str) -> flask.typing.ResponseReturnValue:
    """One shipment."""
    with unit_of_work() as session:
        found = queries.load_shipment(session, current_actor(), number)
        story = story_of(session, found, now=now())
        return flask.jsonify(
            detail_answer(story, queries.scans_of(session, found), queries.proofs(session, found))
        )


@blueprint.get("/shipments/<number>/label.pdf")
@blueprint.doc(
    summary="The labels of all pieces, 100 x 150 mm",
    security=BEARER,
    responses={200: "The labels, as application/pdf"},
)
@requires(Scope.SHIPMENTS_READ)
def label(number: str) -> flask.typing.ResponseReturnValue:
    """The labels as a PDF."""
    with unit_of_work() as session:
        return label_response(session, queries.load_shipment(session, current_actor(), number))


@blueprint.get("/shipments/<number>/label.zpl")
@blueprint.doc(
    summary="The same for a label printer: ZPL II, 203 dots an inch",
    security=BEARER,
    responses={200: f"The labels, as {ZPL_TYPE}"},
)
@requires(Scope.SHIPMENTS_READ)
def label_zpl(number: str) -> flask.typing.ResponseReturnValue:
    """The labels as ZPL."""
    with unit_of_work() as session:
        return zpl_response(session, queries.load_shipment(session, current_actor(), number))


@blueprint.post("/shipments/<number>/receipt")
@blueprint.output(ShipmentOut)
@blueprint.doc(summary="Confirm that the consignee has it", security=BEARER)
@requires(Scope.CASES_WRITE)
@idempotent
def receipt(number: str) -> flask.typing.ResponseReturnValue:
    """Confirm the receipt for the consignee, as an agent who has him on the phone; never as the shipper."""
    actor = current_actor()
    if not actor.may(Scope.CUSTOMERS_WRITE):
        raise ForbiddenError("the consignee confirms, or an agent who speaks with him")
    with unit_of_work() as session:
        found = queries.load_shipment(session, actor, number)
        service.confirm_receipt(session, found, now=now(), by="agent")
        audit(session, actor, "receipt.confirmed", subject_kind="shipment", subject_id=found.id, now=now())
        return flask.jsonify(shipment_answer(found))


@blueprint.post("/shipments/<number>/cancel")
@blueprint.output(ShipmentOut)
@blueprint.doc(summary="Take a booking back before it is collected", security=BEARER)
@requires(Scope.SHIPMENTS_BOOK)
@idempotent
def cancel(number: str) -> flask.typing.ResponseReturnValue:
    """Cancel a booking."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_shipment(session, actor, number)
        service.cancel(session, found, now=now())
        audit(session, actor, "shipment.cancelled", subject_kind="shipment", subject_id=found.id, now=now())
        return flask.jsonify(shipment_answer(found))


def _midnight(day: date | None, zone: timezone) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone).astimezone(UTC)
