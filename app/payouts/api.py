"""The machine's door to the payouts room."""

from __future__ import annotations

from typing import Any, Literal

import flask
from apiflask import APIBlueprint
from pydantic import Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput, PageQuery, page_answer
from app.idempotency import idempotent
from app.payouts import queries, service
from app.payouts.exporting import export_response
from app.payouts.models import PayoutBatch
from app.security import current_actor, requires
from app.web import now, unit_of_work
from settlement.payout import BatchState

blueprint = APIBlueprint("payouts_api", __name__, url_prefix="/api/v1", tag="Payouts")


REPORTS_MAX = 5000


class BatchQuery(PageQuery):
    """Which batches."""

    status: BatchState | None = None


class NewBatch(ApiInput):
    """A batch of everything that can be paid now."""

    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["CNY"])


class Reason(ApiInput):
    """Why a batch is dropped."""

    reason: str = Field(min_length=1, max_length=500)


class Report(ApiInput):
    """What the bank says of one item."""

    party_id: int
    paid: bool = Field(description="False: the bank has sent it back")


class Reports(ApiInput):
    """What the bank says of some items."""

    items: list[Report] = Field(min_length=1, max_length=REPORTS_MAX)


class ReportResult(ApiOutput):
    """What became of one report."""

    party_id: int
    status: Literal["recorded", "refused"]
    detail: str | None


class ReportResults(ApiOutput):
    """One result for each report, in the order in which they came."""

    items: list[ReportResult]


@blueprint.get("/payouts")
@blueprint.input(BatchQuery, location="query")
@blueprint.doc(summary="Payout batches, newest first", security=BEARER)
@requires(Scope.PAYOUTS_READ)
def batches(query_data: BatchQuery) -> flask.typing.ResponseReturnValue:
    """Payout batches, newest first."""
    with unit_of_work() as session:
        page = queries.list_batches(
            session, status=query_data.status, cursor=query_data.cursor, limit=query_data.limit
        )
        return page_answer([_head(batch) for batch in page.rows], page.next_cursor)


@blueprint.get("/payouts/<number>")
@blueprint.doc(summary="One payout batch with its items", security=BEARER)
@requires(Scope.PAYOUTS_READ)
def batch(number: str) -> flask.typing.ResponseReturnValue:
    """One payout batch with its items."""
    with unit_of_work() as session:
        return flask.jsonify(_whole(queries.load_batch(session, current_actor(), number)))


@blueprint.post("/payouts")
@blueprint.input(NewBatch)
@blueprint.doc(summary="Prepare a batch of everything that can be paid", security=BEARER)
@requires(Scope.PAYOUTS_PREPARE)
@idempotent
def prepare(json_data: NewBatch) -> flask.typing.ResponseReturnValue:
    """Prepare a batch; another person must approve it."""
    with unit_of_work() as session:
        made = service.prepare_batch(session, current_actor(), currency=json_data.currency, now=now())
        response = flask.jsonify(_whole(made))
        response.status_code = 201
        response.headers["Location"] = flask.url_for("payouts_api.batch", number=made.number)
        return response


@blueprint.post("/payouts/<number>/approve")
@blueprint.doc(summary="Approve a batch that another person prepared", security=BEARER)
@requires(Scope.PAYOUTS_APPROVE)
@idempotent
def approve(number: str) -> flask.typing.ResponseReturnValue:
    """Approve a batch that another person prepared."""
    with unit_of_work() as session:
        found = queries.load_batch(session, current_actor(), number)
        service.approve(session, current_actor(), found, now=now())
        return flask.jsonify(_whole(found))


@blueprint.post("/payouts/<number>/cancel")
@blueprint.input(Reason)
@blueprint.doc(summary="Drop a batch that the bank has not been given", security=BEARER)
@requires(Scope.PAYOUTS_PREPARE)
@idempotent
def cancel(number: str, json_data: Reason) -> flask.typing.ResponseReturnValue:
    """Drop a batch: every amount is available again."""
    with unit_of_work() as session:
        found = queries.load_batch(session, current_actor(), number)
        service.cancel(session, current_actor(), found, reason=json_data.reason, now=now())
        return flask.jsonify(_whole(found))


@blueprint.post("/payouts/<number>/export")
@blueprint.doc(
    summary="Take the file for the bank; the same file however often it is taken",
    security=BEARER,
    responses={200: "The payments, as text/csv"},
)
@requires(Scope.PAYOUTS_PREPARE)
def export(number: str) -> flask.typing.ResponseReturnValue:
    """The file for the bank; the first time marks the batch as given to it."""
    with unit_of_work() as session:
        found = queries.load_batch(session, current_actor(), number)
        return export_response(found.number, service.export(session, found, now=now()))


@blueprint.post("/payouts/<number>/reports")
@blueprint.input(Reports)
@blueprint.output(ReportResults)
@blueprint.doc(summary="Record what the bank says of some items", security=BEARER)
@requires(Scope.PAYOUTS_PREPARE)
@idempotent
def report(number: str, json_data: Reports) -> flask.typing.ResponseReturnValue:
    """Each report is answered for itself; one refusal stops no other."""
    reports = [(one.party_id, one.paid) for one in json_data.items]
    with unit_of_work() as session:
        found = queries.load_batch(session, current_actor(), number)
        refusals = service.settle_items(session, found, reports, now=now())
    return flask.jsonify(
        items=[
            {"party_id": party_id, "status": "recorded" if why is None else "refused", "detail": why}
            for (party_id, _paid), why in zip(reports, refusals, strict=True)
        ]
    )


def _head(row: PayoutBatch) -> dict[str, Any]:
    return {
        "number": row.number,
        "status": row.status,
        "currency": row.currency,
        "total_minor": row.total_minor,
        "prepared_at": row.prepared_at.isoformat(),
        "approved_at": None if row.approved_at is None else row.approved_at.isoformat(),
        "exported_at": None if row.exported_at is None else row.exported_at.isoformat(),
    }


def _whole(row: PayoutBatch) -> dict[str, Any]:
    items = [
        {"party_id": item.party_id, "amount_minor": item.amount_minor, "status": item.status}
        for item in row.items
    ]
    return {**_head(row), "items": items}
