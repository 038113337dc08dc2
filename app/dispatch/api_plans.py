"""The machine's door to a day's plans: listed, compared, their search ended early."""

from __future__ import annotations

from datetime import date
from typing import Any

import flask
from pydantic import Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.dispatch import answers, queries, service
from app.dispatch.api_blueprint import blueprint
from app.dispatch.api_models import ID_MAX, PlanOut
from app.dispatch.models import PlanStatus
from app.dispatch.service import Comparison, Summary
from app.errors import ConflictError
from app.idempotency import idempotent
from app.network import queries as network
from app.security import current_actor, requires
from app.web import now, unit_of_work


class PlansQuery(ApiInput):
    """Whose plans."""

    facility_id: int = Field(ge=1, le=ID_MAX)
    day: date = Field(description="Local day of the outlet")


class CompareQuery(ApiInput):
    """With which plan."""

    other_id: int | None = Field(
        default=None,
        ge=1,
        le=ID_MAX,
        description="Of the same day; the newest other one when left out",
    )


class SummaryOut(ApiOutput):
    """A plan in its figures."""

    id: int
    status: PlanStatus
    version: int
    requested_at: str
    solved_at: str | None
    published_at: str | None
    rounds: int
    visits: int
    unserved: int
    cost_minor: int | None
    distance_m: int | None
    away_s: int = Field(description="Seconds that its couriers are away from the outlet, all together")


class SummariesOut(ApiOutput):
    """The day's plans, newest first."""

    items: list[SummaryOut]


class ShiftedOut(ApiOutput):
    """A stop that two plans make differently."""

    stop_id: int
    changes_courier: bool
    one_courier: str | None
    one_start_s: int | None
    other_courier: str | None
    other_start_s: int | None


class PlansBesideOut(ApiOutput):
    """Two plans of a day beside each other; stops that change courier come first."""

    one: SummaryOut
    other: SummaryOut
    changes_courier: int
    changes_time: int
    shifted: list[ShiftedOut]


@blueprint.get("/dispatch/plans")
@blueprint.input(PlansQuery, location="query")
@blueprint.output(SummariesOut)
@blueprint.doc(summary="The plans of an outlet's day", security=BEARER)
@requires(Scope.DISPATCH_READ)
def list_plans(query_data: PlansQuery) -> flask.typing.ResponseReturnValue:
    """Drafts, the plan in force, and those it replaced; newest first."""
    with unit_of_work() as session:
        network.load_facility(session, current_actor(), query_data.facility_id)
        found = service.plans_of_day(session, query_data.facility_id, query_data.day)
        return flask.jsonify({"items": [_summary(one) for one in found]})


@blueprint.get("/dispatch/plans/<int:plan_id>/compare")
@blueprint.input(CompareQuery, location="query")
@blueprint.output(PlansBesideOut)
@blueprint.doc(summary="Two plans of a day beside each other", security=BEARER)
@requires(Scope.DISPATCH_READ)
def compare_plans(plan_id: int, query_data: CompareQuery) -> flask.typing.ResponseReturnValue:
    """Costs, metres, what they leave out, and which stops change courier or time."""
    with unit_of_work() as session:
        actor = current_actor()
        one = queries.load_plan_head(session, actor, plan_id)
        other_id = query_data.other_id or service.newest_beside(session, one)
        if other_id is None:
            raise ConflictError("the day has no other plan to compare with")
        other = queries.load_plan_head(session, actor, other_id)
        return flask.jsonify(_comparison(service.compare(session, one, other)))


@blueprint.post("/dispatch/plans/<int:plan_id>/enough")
@blueprint.output(PlanOut)
@blueprint.doc(summary="End the search for a plan with the best so far", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def keep_best(plan_id: int) -> flask.typing.ResponseReturnValue:
    """The plan becomes a draft as soon as the worker has written it."""
    with unit_of_work() as session:
        found = queries.load_plan(session, current_actor(), plan_id)
        service.keep_best(session, current_actor(), found, now=now())
        session.flush()  # the answer tells the version this makes
        return flask.jsonify(answers.plan_answer(found))


def _summary(one: Summary) -> dict[str, Any]:
    plan = one.plan
    return {
        "id": plan.id,
        "status": plan.status,
        "version": plan.version,
        "requested_at": plan.requested_at.isoformat(),
        "solved_at": None if plan.solved_at is None else plan.solved_at.isoformat(),
        "published_at": None if plan.published_at is None else plan.published_at.isoformat(),
        "rounds": one.rounds,
        "visits": one.visits,
        "unserved": one.unserved,
        "cost_minor": plan.cost_minor,
        "distance_m": plan.distance_m,
        "away_s": one.away_s,
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "one": _summary(found.one),
        "other": _summary(found.other),
        "changes_courier": found.changes_courier,
        "changes_time": found.changes_time,
        "shifted": [
            {
                "stop_id": one.stop.id,
                "changes_courier": one.changes_courier,
                "one_courier": one.one_courier,
                "one_start_s": one.one_start_s,
                "other_courier": one.other_courier,
                "other_start_s": one.other_start_s,
            }
            for one in found.shifted
        ],
    }
