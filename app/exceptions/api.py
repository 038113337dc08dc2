"""The board for machines: findings that stand, how many, one with its notes, and what is done about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import flask
from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.api_schema import BEARER, page_answer
from app.exceptions import actions, queries
from app.exceptions.actions import Action
from app.exceptions.api_models import (
    ActionIn,
    ActionResults,
    CountsOut,
    CountsQuery,
    ExceptionsPage,
    ExceptionsQuery,
    FindingDetail,
)
from app.exceptions.queries import BoardFilter, Standing
from app.exceptions.wording import explained, places_named
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.shipments import queries as shipments
from app.web import now, unit_of_work
from tracking.finding import FindingKind
from tracking.shipment import ScanCode

blueprint = APIBlueprint("exceptions_api", __name__, url_prefix="/api/v1", tag="Exceptions")


@blueprint.get("/exceptions")
@blueprint.input(ExceptionsQuery, location="query")
@blueprint.output(ExceptionsPage)
@blueprint.doc(summary="What needs a person, the longest first", security=BEARER)
@requires(Scope.SHIPMENTS_READ)
def list_exceptions(query_data: ExceptionsQuery) -> flask.typing.ResponseReturnValue:
    """Findings that stand."""
    actor = current_actor()
    queries.require_staff(actor)
    with unit_of_work() as session:
        page = queries.board(
            session,
            actor,
            _filter(query_data, query_data.kind),
            now=now(),
            cursor=query_data.cursor,
            limit=query_data.limit,
        )
        return page_answer(_answers(session, page.rows), page.next_cursor)


@blueprint.get("/exceptions/counts")
@blueprint.input(CountsQuery, location="query")
@blueprint.output(CountsOut)
@blueprint.doc(summary="How many findings of each kind stand", security=BEARER)
@requires(Scope.SHIPMENTS_READ)
def count_exceptions(query_data: CountsQuery) -> flask.typing.ResponseReturnValue:
    """How many of each kind."""
    actor = current_actor()
    queries.require_staff(actor)
    with unit_of_work() as session:
        counts = queries.counts(session, actor, _filter(query_data, None), now=now())
        return flask.jsonify(items=[{"kind": kind, "count": count} for kind, count in counts.items()])


@blueprint.get("/exceptions/<int:finding_id>")
@blueprint.output(FindingDetail)
@blueprint.doc(summary="A finding with its notes", security=BEARER)
@requires(Scope.SHIPMENTS_READ)
def show_exception(finding_id: int) -> flask.typing.ResponseReturnValue:
    """One finding, standing or closed."""
    actor = current_actor()
    queries.require_staff(actor)
    with unit_of_work() as session:
        row = queries.load(session, actor, finding_id)
        (answer,) = _answers(session, [row])
        notes = queries.notes_of(session, [finding_id])[finding_id]
        answer["notes"] = [
            {"body": note.body, "user_id": note.user_id, "at": note.at.isoformat()} for note, _name in notes
        ]
        return flask.jsonify(answer)


@blueprint.post("/exceptions/actions")
@blueprint.input(ActionIn)
@blueprint.output(ActionResults)
@blueprint.doc(summary="Do something about findings; each gets a result of its own", security=BEARER)
@requires(Scope.EXCEPTIONS_WRITE)
@idempotent
def act(json_data: ActionIn) -> flask.typing.ResponseReturnValue:
    """Do something about findings."""
    actor = current_actor()
    queries.require_staff(actor)
    with unit_of_work() as session:
        results = actions.act(session, actor, json_data.finding_ids, _action(json_data), now=now())
        return flask.jsonify(items=[asdict(result) for result in results])


def _action(asked: ActionIn) -> Action:
    match asked.action:
        case "assign":
            return actions.assign(asked.assignee_id)
        case "note":
            return actions.note(asked.body)
        case "acknowledge":
            return actions.acknowledge()
        case "snooze":
            return actions.snooze(asked.until)
        case "replan":
            return actions.replan(asked.body)
        case "open_case":
            return actions.open_case(asked.body)
        case "found":
            return actions.record(ScanCode.ARRIVED, asked.facility_id)
        case "lost":
            return actions.record(ScanCode.LOST, asked.facility_id)


def _filter(asked: CountsQuery, kind: FindingKind | None) -> BoardFilter:
    hours = asked.older_than_hours
    return BoardFilter(
        kind=kind,
        facility_id=asked.facility_id,
        customer_id=asked.customer_id,
        older_than=None if hours is None else timedelta(hours=hours),
        whose=asked.whose,
        show=asked.show,
    )


def _answers(session: Session, rows: Sequence[Standing]) -> list[dict[str, Any]]:
    places = shipments.facilities(
        session, [place for row in rows for place in places_named(row.finding, row.shipment)]
    )
    answers = []
    for row in rows:
        finding, shipment = row.finding, row.shipment
        answers.append(
            {
                "id": finding.id,
                "kind": finding.kind,
                "sentence": explained(finding, shipment, places, now()),
                "waybill_number": shipment.waybill_number,
                "milestone": shipment.milestone,
                "facility_id": shipment.seen_facility_id or shipment.origin_facility_id,
                "customer_id": shipment.customer_id,
                "opened_at": finding.opened_at.isoformat(),
                "closed_at": None if finding.closed_at is None else finding.closed_at.isoformat(),
                "assignee_id": finding.assignee_id,
                "acknowledged_at": finding.acknowledged_at and finding.acknowledged_at.isoformat(),
                "snoozed_until": finding.snoozed_until and finding.snoozed_until.isoformat(),
                "details": finding.details,
            }
        )
    return answers
