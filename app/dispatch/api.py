"""The machine's door to the dispatch room."""

from __future__ import annotations

import flask

from app.accounts.roles import Scope
from app.api_schema import BEARER, page_answer
from app.dispatch import (
    answers,
    api_areas,
    api_corrections,
    api_edits,
    api_pickups,
    api_plans,
    api_roster,
    api_vroom,
    queries,
    service,
)
from app.dispatch.api_blueprint import blueprint
from app.dispatch.api_models import (
    MovedOut,
    MoveIn,
    OffersOut,
    PlanIn,
    PlanOut,
    RunOut,
    RunQuery,
    StopPage,
    StopQuery,
    VersionIn,
)
from app.dispatch.runs import run_of_courier
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.web import now, unit_of_work

__all__ = [
    "api_areas",
    "api_corrections",
    "api_edits",
    "api_pickups",
    "api_plans",
    "api_roster",
    "api_vroom",
    "blueprint",
]


@blueprint.get("/dispatch/stops")
@blueprint.input(StopQuery, location="query")
@blueprint.output(StopPage)
@blueprint.doc(summary="Stops that couriers must make", security=BEARER)
@requires(Scope.DISPATCH_READ)
def stops(query_data: StopQuery) -> flask.typing.ResponseReturnValue:
    """Stops, in the order they were asked for."""
    with unit_of_work() as session:
        page = queries.list_stops(
            session,
            current_actor(),
            facility_id=query_data.facility_id,
            day=query_data.day,
            statuses=() if query_data.status is None else (query_data.status,),
            cursor=query_data.cursor,
            limit=query_data.limit,
        )
        return page_answer(
            [answers.stop_answer(stop, number) for stop, number in page.rows], page.next_cursor
        )


@blueprint.post("/dispatch/plans")
@blueprint.input(PlanIn)
@blueprint.output(PlanOut, status_code=202)
@blueprint.doc(summary="Ask for the rounds of an outlet on a day", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def request_plan(json_data: PlanIn) -> flask.typing.ResponseReturnValue:
    """Answered at once; a worker makes the plan. `Location` tells where to look."""
    with unit_of_work() as session:
        plan = service.request_plan(
            session,
            current_actor(),
            facility_id=json_data.facility_id,
            day=json_data.day,
            seconds=json_data.seconds,
            even=json_data.even_rounds,
            now=now(),
        )
        location = flask.url_for(".plan", plan_id=plan.id)
        return flask.jsonify(answers.plan_answer(plan)), 202, {"Location": location}


@blueprint.get("/dispatch/plans/<int:plan_id>")
@blueprint.output(PlanOut)
@blueprint.doc(summary="A plan", security=BEARER)
@requires(Scope.DISPATCH_READ)
def plan(plan_id: int) -> flask.typing.ResponseReturnValue:
    """How far it has come; its rounds once it is solved."""
    with unit_of_work() as session:
        return flask.jsonify(answers.plan_answer(queries.load_plan(session, current_actor(), plan_id)))


@blueprint.post("/dispatch/plans/<int:plan_id>/cancel")
@blueprint.output(PlanOut)
@blueprint.doc(summary="Give up a plan that is not published", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def cancel_plan(plan_id: int) -> flask.typing.ResponseReturnValue:
    """A worker that is at it stops."""
    with unit_of_work() as session:
        found = queries.load_plan(session, current_actor(), plan_id)
        service.cancel_plan(session, current_actor(), found, now=now())
        session.flush()  # the answer tells the version this makes
        return flask.jsonify(answers.plan_answer(found))


@blueprint.post("/dispatch/plans/<int:plan_id>/publish")
@blueprint.input(VersionIn)
@blueprint.output(PlanOut)
@blueprint.doc(summary="Put a draft in force", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def publish(plan_id: int, json_data: VersionIn) -> flask.typing.ResponseReturnValue:
    """Couriers see their rounds; the plan before it is history."""
    with unit_of_work() as session:
        found = queries.load_plan(session, current_actor(), plan_id)
        service.publish(session, current_actor(), found, now=now(), version=json_data.version)
        return flask.jsonify(answers.plan_answer(found))


@blueprint.get("/dispatch/plans/<int:plan_id>/stops/<int:stop_id>/offers")
@blueprint.output(OffersOut)
@blueprint.doc(summary="What it would cost to give a stop to each courier", security=BEARER)
@requires(Scope.DISPATCH_READ)
def offers(plan_id: int, stop_id: int) -> flask.typing.ResponseReturnValue:
    """Each courier's cheapest place; changes nothing."""
    with unit_of_work() as session:
        actor = current_actor()
        found = queries.load_plan_head(session, actor, plan_id)
        stop = queries.load_stop(session, actor, stop_id)
        return flask.jsonify(answers.offers_answer(service.offers(session, actor, found, stop, now=now())))


@blueprint.post("/dispatch/plans/<int:plan_id>/moves")
@blueprint.input(MoveIn)
@blueprint.output(MovedOut)
@blueprint.doc(summary="Give a stop to another courier, or take it out", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def move(plan_id: int, json_data: MoveIn) -> flask.typing.ResponseReturnValue:
    """Refused with the rule that would be broken."""
    with unit_of_work() as session:
        actor = current_actor()
        found = queries.load_plan(session, actor, plan_id)
        stop = queries.load_stop(session, actor, json_data.stop_id)
        moved = service.move_stop(
            session,
            actor,
            found,
            stop,
            courier_id=json_data.courier_id,
            sequence=json_data.sequence,
            version=json_data.version,
            now=now(),
        )
        return flask.jsonify(answers.moved_answer(found, moved))


@blueprint.get("/dispatch/run")
@blueprint.input(RunQuery, location="query")
@blueprint.output(RunOut)
@blueprint.doc(summary="The asker's own round", security=BEARER)
@requires(Scope.RUNS_READ)
def run(query_data: RunQuery) -> flask.typing.ResponseReturnValue:
    """In the order of visit; empty where none has been published."""
    with unit_of_work() as session:
        found = run_of_courier(session, current_actor(), query_data.day, now=now())
        return flask.jsonify(answers.run_answer(found))
