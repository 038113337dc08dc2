"""The machine's door to a plan's journal: changes taken back and made again, stops and rounds locked."""

from __future__ import annotations

import flask

from app.accounts.roles import Scope
from app.api_schema import BEARER
from app.dispatch import answers, journal, queries, service
from app.dispatch.api_blueprint import blueprint
from app.dispatch.api_models import EditsOut, GapQuery, GapsOut, LockedOut, LockIn, VersionIn
from app.errors import BadRequestError
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.web import now, unit_of_work


@blueprint.get("/dispatch/plans/<int:plan_id>/edits")
@blueprint.output(EditsOut)
@blueprint.doc(summary="What was changed by hand in a plan", security=BEARER)
@requires(Scope.DISPATCH_READ)
def edits(plan_id: int) -> flask.typing.ResponseReturnValue:
    """Latest first; tells which can be taken back."""
    with unit_of_work() as session:
        plan = queries.load_plan_head(session, current_actor(), plan_id)
        return flask.jsonify(answers.edits_answer(plan, journal.edits_of(session, plan_id)))


@blueprint.post("/dispatch/plans/<int:plan_id>/undo")
@blueprint.input(VersionIn)
@blueprint.output(EditsOut)
@blueprint.doc(summary="Take back the last change of a plan by hand", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def undo(plan_id: int, json_data: VersionIn) -> flask.typing.ResponseReturnValue:
    """Whoever made it; answers the journal and the version this makes."""
    with unit_of_work() as session:
        plan = queries.load_plan(session, current_actor(), plan_id)
        service.undo(session, current_actor(), plan, version=json_data.version, now=now())
        return flask.jsonify(answers.edits_answer(plan, journal.edits_of(session, plan_id)))


@blueprint.post("/dispatch/plans/<int:plan_id>/redo")
@blueprint.input(VersionIn)
@blueprint.output(EditsOut)
@blueprint.doc(summary="Make the change of a plan again that was taken back last", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def redo(plan_id: int, json_data: VersionIn) -> flask.typing.ResponseReturnValue:
    """Answers the journal and the version this makes."""
    with unit_of_work() as session:
        plan = queries.load_plan(session, current_actor(), plan_id)
        service.redo(session, current_actor(), plan, version=json_data.version, now=now())
        return flask.jsonify(answers.edits_answer(plan, journal.edits_of(session, plan_id)))


@blueprint.post("/dispatch/plans/<int:plan_id>/stops/<int:stop_id>/lock")
@blueprint.input(LockIn)
@blueprint.output(LockedOut)
@blueprint.doc(summary="Tie a stop to its courier, or untie it", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def lock_stop(plan_id: int, stop_id: int, json_data: LockIn) -> flask.typing.ResponseReturnValue:
    """Plans made after this one is published keep it too."""
    with unit_of_work() as session:
        actor = current_actor()
        plan = queries.load_plan(session, actor, plan_id)
        stop = queries.load_stop(session, actor, stop_id)
        service.set_lock(
            session, actor, plan, stop, locked=json_data.locked, version=json_data.version, now=now()
        )
        return flask.jsonify({"plan_id": plan.id, "version": plan.version, "stops": 1})


@blueprint.post("/dispatch/plans/<int:plan_id>/rounds/<int:courier_id>/lock")
@blueprint.input(LockIn)
@blueprint.output(LockedOut)
@blueprint.doc(summary="Tie a courier's whole round to him, or untie it", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def lock_round(plan_id: int, courier_id: int, json_data: LockIn) -> flask.typing.ResponseReturnValue:
    """One change, taken back at once."""
    with unit_of_work() as session:
        actor = current_actor()
        plan = queries.load_plan(session, actor, plan_id)
        count = service.set_round_lock(
            session, actor, plan, courier_id, locked=json_data.locked, version=json_data.version, now=now()
        )
        return flask.jsonify({"plan_id": plan.id, "version": plan.version, "stops": count})


@blueprint.get("/dispatch/plans/<int:plan_id>/stops/<int:stop_id>/gaps")
@blueprint.input(GapQuery, location="query")
@blueprint.output(GapsOut)
@blueprint.doc(summary="What each place of a courier's round would cost for a stop", security=BEARER)
@requires(Scope.DISPATCH_READ)
def gaps(plan_id: int, stop_id: int, query_data: GapQuery) -> flask.typing.ResponseReturnValue:
    """Changes nothing."""
    with unit_of_work() as session:
        actor = current_actor()
        plan = queries.load_plan_head(session, actor, plan_id)
        stop = queries.load_stop(session, actor, stop_id)
        courier_id = query_data.courier_id or queries.courier_of_stop(session, plan, stop)
        if courier_id is None:
            raise BadRequestError("nobody has this stop; courier_id says whose round is meant")
        found = service.gaps_of(session, actor, plan, stop, courier_id, now=now())
        return flask.jsonify(answers.gaps_answer(stop, courier_id, found))
