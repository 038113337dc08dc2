"""The machine's door to the payouts room."""

from __future__ import annotations

from typing import Any

import flask
from apiflask import APIBlueprint
from pydantic import Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, PageQuery, page_answer
from app.idempotency import idempotent
from app.payouts import queries, service
from app.payouts.models import PayoutBatch
from app.security import current_actor, requires
from app.web import now, unit_of_work
from settlement.payout import BatchState

blueprint = APIBlueprint("payouts_api", __name__, url_prefix="/api/v1", tag="Payouts")


class BatchQuery(PageQuery):
    """Which batches."""

    status: BatchState | None = None


class NewBatch(ApiInput):
    """A batch of everything that can be paid now."""

    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["CNY"])


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
