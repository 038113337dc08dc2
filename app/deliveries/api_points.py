"""Lockers and counters for machines: cabinets, couriers' phones, the consignee's own link."""

from __future__ import annotations

from typing import Any

import flask

from app.accounts.roles import Scope
from app.api_schema import BEARER, page_answer
from app.deliveries import queries, service
from app.deliveries.api_blueprint import blueprint
from app.deliveries.api_point_models import (
    CompartmentIn,
    CompartmentOut,
    Compartments,
    DepositOut,
    DepositPage,
    DepositQuery,
    DepositResults,
    DepositsIn,
    DisputeIn,
    DisputeOut,
    FetchIn,
    FetchOut,
)
from app.deliveries.batches import deposit_many
from app.deliveries.door_values import Paid
from app.deliveries.point_models import PointDeposit
from app.deliveries.points import Fetching, Leaving
from app.idempotency import idempotent
from app.network import queries as network
from app.network import service as network_service
from app.network.models import Compartment
from app.security import current_actor, public, requires
from app.shipments import queries as shipments
from app.shipments.values import without_nul
from app.web import now, public_unit_of_work, unit_of_work
from tracking.pickup import OVERDUE_AFTER, Size


@blueprint.get("/facilities/<int:facility_id>/compartments")
@blueprint.output(Compartments)
@blueprint.doc(summary="The compartments of a locker", security=BEARER)
@requires(Scope.SCANS_WRITE)
def compartments(facility_id: int) -> flask.typing.ResponseReturnValue:
    """Those in use, by code."""
    with unit_of_work() as session:
        point = queries.load_point(session, current_actor(), facility_id)
        return flask.jsonify(items=[_compartment(row) for row in network.compartments(session, point.id)])


@blueprint.post("/facilities/<int:facility_id>/compartments")
@blueprint.input(CompartmentIn)
@blueprint.output(CompartmentOut)
@blueprint.doc(summary="Enter a compartment of a locker, or change its size", security=BEARER)
@requires(Scope.ADMIN)
@idempotent
def set_compartment(facility_id: int, json_data: CompartmentIn) -> flask.typing.ResponseReturnValue:
    """Recognised by its code."""
    actor = current_actor()
    with unit_of_work() as session:
        point = queries.load_point(session, actor, facility_id)
        size = json_data.length_mm, json_data.width_mm, json_data.height_mm
        row = network_service.set_compartment(
            session, actor, point, code=json_data.code, size=size, now=now()
        )
        return flask.jsonify(_compartment(row))


@blueprint.get("/facilities/<int:facility_id>/deposits")
@blueprint.input(DepositQuery, location="query")
@blueprint.output(DepositPage)
@blueprint.doc(summary="What waits at a point, what has waited longest first", security=BEARER)
@requires(Scope.SCANS_WRITE)
def deposits(facility_id: int, query_data: DepositQuery) -> flask.typing.ResponseReturnValue:
    """What is still there."""
    with unit_of_work() as session:
        point = queries.load_point(session, current_actor(), facility_id)
        page = queries.deposits_at(
            session, point.id, overdue=query_data.overdue, cursor=query_data.cursor, limit=query_data.limit
        )
        return page_answer([deposit_answer(row) for row in page.rows], page.next_cursor)


@blueprint.post("/deposits")
@blueprint.input(DepositsIn)
@blueprint.output(DepositResults)
@blueprint.doc(
    summary="Leave parcels at a locker, store or point; one result a parcel",
    description="`why` says what is against it: not_found, no_consent, too_large, compartment_taken, "
    "locker_full, cash_due, several_pieces, stopped, not_on_its_way.",
    security=BEARER,
)
@requires(Scope.SCANS_WRITE)
@idempotent
def deposit(json_data: DepositsIn) -> flask.typing.ResponseReturnValue:
    """The consignee of each is sent a code."""
    leavings = [
        (
            one.number,
            Leaving(
                one.facility_id,
                one.compartment,
                None if one.size is None else Size(**one.size.model_dump()),
            ),
        )
        for one in json_data.items
    ]
    with unit_of_work() as session:
        results = deposit_many(session, current_actor(), leavings, now=now())
        items = [
            {
                "number": left.number,
                "deposit": None if left.deposit is None else deposit_answer(left.deposit),
                "why": left.why,
            }
            for left in results
        ]
        return flask.jsonify(items=items)


@blueprint.post("/deposits/take-out")
@blueprint.input(FetchIn)
@blueprint.output(FetchOut)
@blueprint.doc(summary="Fetch a parcel with its code; five wrong ones lock it for an hour", security=BEARER)
@requires(Scope.SCANS_WRITE)
@idempotent
def take_out(json_data: FetchIn) -> flask.typing.ResponseReturnValue:
    """The outcome is `right` where it was given."""
    paid = json_data.paid
    fetching = Fetching(
        json_data.number,
        json_data.code,
        json_data.facility_id,
        None if paid is None else Paid(paid.amount_minor, paid.means),
    )
    with unit_of_work() as session:
        became, row = service.take_out(session, current_actor(), fetching, now=now())
        return flask.jsonify(outcome=became.value, deposit=deposit_answer(row))


@blueprint.post("/deposits/<int:deposit_id>/take-back")
@blueprint.output(DepositOut)
@blueprint.doc(summary="Bring what nobody fetched in time back to the outlet", security=BEARER)
@requires(Scope.SCANS_WRITE)
@idempotent
def take_back(deposit_id: int) -> flask.typing.ResponseReturnValue:
    """It waits there under a new code; the answer is that deposit."""
    actor = current_actor()
    with unit_of_work() as session:
        row = queries.load_deposit(session, actor, deposit_id)
        return flask.jsonify(deposit_answer(service.take_back(session, actor, row, now=now())))


@blueprint.post("/links/<token>/dispute")
@blueprint.input(DisputeIn)
@blueprint.output(DisputeOut, status_code=201)
@blueprint.doc(summary="The consignee of a link says that what he was to fetch is not there, or damaged")
@public
def link_dispute(token: str, json_data: DisputeIn) -> flask.typing.ResponseReturnValue:
    """Possible while it waits, and for a day after it was taken out; the same words again open one case."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, without_nul(token))
        number = service.dispute(
            session, shipment, json_data.kind, body=json_data.body, phone=json_data.phone, now=now()
        )
    return {"case_number": number}, 201


def deposit_answer(row: PointDeposit) -> dict[str, Any]:
    """A deposit as machines are answered."""
    moments = {
        name: None if moment is None else moment.isoformat()
        for name, moment in (
            ("overdue_at", row.overdue_at),
            ("taken_at", row.taken_at),
            ("taken_back_at", row.taken_back_at),
        )
    }
    return {
        "deposit_id": row.id,
        "waybill_number": row.shipment.waybill_number,
        "facility_id": row.facility_id,
        "compartment": None if row.compartment is None else row.compartment.code,
        "deposited_at": row.deposited_at.isoformat(),
        "fetch_until": (row.deposited_at + OVERDUE_AFTER).isoformat(),
        **moments,
    }


def _compartment(row: Compartment) -> dict[str, Any]:
    return {
        "code": row.code,
        "length_mm": row.length_mm,
        "width_mm": row.width_mm,
        "height_mm": row.height_mm,
    }
