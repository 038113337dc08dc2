"""Versions of the terms for machines: listed, read in words, written, tried out, approved by another."""

from __future__ import annotations

from typing import Any

import flask

from app.accounts.roles import Scope
from app.api_schema import BEARER
from app.idempotency import idempotent
from app.orders import service, terms
from app.orders.api_blueprint import blueprint
from app.orders.api_models import TermsDetail, TermsInput, TermsList, TermsOut, TrialInput, TrialOut
from app.orders.models import TermsVersion
from app.security import current_actor, requires
from app.web import now, unit_of_work
from settlement.terms import describe


@blueprint.get("/terms")
@blueprint.output(TermsList)
@blueprint.doc(summary="Every version of the terms that orders are split by, newest first", security=BEARER)
@requires(Scope.TERMS_READ)
def versions() -> flask.typing.ResponseReturnValue:
    """Every version."""
    with unit_of_work() as session:
        return flask.jsonify(items=[_head(version) for version in terms.list_terms(session)])


@blueprint.get("/terms/<int:version_id>")
@blueprint.output(TermsDetail)
@blueprint.doc(summary="A version of the terms: as written, and line by line as read", security=BEARER)
@requires(Scope.TERMS_READ)
def version(version_id: int) -> flask.typing.ResponseReturnValue:
    """One version."""
    with unit_of_work() as session:
        return flask.jsonify(_whole(terms.load_terms(session, current_actor(), version_id)))


@blueprint.post("/terms")
@blueprint.input(TermsInput)
@blueprint.output(TermsDetail, status_code=201)
@blueprint.doc(summary="Write the next version as a draft", security=BEARER)
@requires(Scope.TERMS_WRITE)
@idempotent
def draft(json_data: TermsInput) -> flask.typing.ResponseReturnValue:
    """Write the next version; another person must approve it."""
    with unit_of_work() as session:
        made = service.create_terms_version(
            session,
            current_actor(),
            name=terms.STANDARD,
            body=json_data.body,
            effective_from=json_data.effective_from,
            now=now(),
        )
        return (
            flask.jsonify(_whole(made)),
            201,
            {"Location": flask.url_for("orders_api.version", version_id=made.id)},
        )


@blueprint.post("/terms/trial")
@blueprint.input(TrialInput)
@blueprint.output(TrialOut)
@blueprint.doc(summary="What the last orders would have given each party by other terms", security=BEARER)
@requires(Scope.TERMS_WRITE)
def trial(json_data: TrialInput) -> flask.typing.ResponseReturnValue:
    """Split the last orders anew; nothing is written."""
    with unit_of_work() as session:
        found = service.dry_run(session, json_data.body, now=now())
    return flask.jsonify(
        orders=found.orders,
        currency=found.currency,
        differences=[
            {
                "party_id": row.party_id,
                "before_minor": row.before_minor,
                "after_minor": row.after_minor,
                "difference_minor": row.difference_minor,
            }
            for row in found.differences
        ],
        refused=[{"order_number": number, "detail": why} for number, why in found.refused],
    )


@blueprint.post("/terms/<int:version_id>/approve")
@blueprint.output(TermsDetail)
@blueprint.doc(summary="Let a draft of somebody else come into force at its time", security=BEARER)
@requires(Scope.TERMS_APPROVE)
@idempotent
def approve(version_id: int) -> flask.typing.ResponseReturnValue:
    """Approve another's draft."""
    with unit_of_work() as session:
        found = terms.load_terms(session, current_actor(), version_id)
        service.approve_terms(session, current_actor(), found, now=now())
        return flask.jsonify(_whole(found))


@blueprint.post("/terms/<int:version_id>/withdraw")
@blueprint.output(TermsDetail)
@blueprint.doc(summary="Lay a draft aside", security=BEARER)
@requires(Scope.TERMS_WRITE)
@idempotent
def withdraw(version_id: int) -> flask.typing.ResponseReturnValue:
    """Lay a draft aside; its number is not used again."""
    with unit_of_work() as session:
        found = terms.load_terms(session, current_actor(), version_id)
        service.withdraw_terms(session, current_actor(), found, now=now())
        return flask.jsonify(_whole(found))


def _head(row: TermsVersion) -> dict[str, Any]:
    return TermsOut.model_validate(row).model_dump(mode="json")


def _whole(row: TermsVersion) -> dict[str, Any]:
    lines = [{"key": line.key, "params": dict(line.params)} for line in describe(terms.value_of(row))]
    return {**_head(row), "body": terms.without_head(row.body), "lines": lines}
