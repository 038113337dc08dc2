"""The board: an outlet's day, planned, watched and published."""

from __future__ import annotations

from datetime import date

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.dispatch import queries, service
from app.dispatch.board import PENDING, SHOWN, Board, board, round_of
from app.dispatch.change_words import edit_text
from app.dispatch.changing import is_over
from app.dispatch.map_view import board_map
from app.dispatch.models import Plan, StopStatus
from app.dispatch.stale import posted_version, stale_page
from app.dispatch.words import next_day
from app.errors import BadRequestError, ConflictError, StaleVersionError
from app.network import queries as network
from app.security import current_actor, requires
from app.web import now, unit_of_work

SECONDS_CHOICES = (5, 10, 30, 60, 120)
LEFT_SHOWN_MAX = 100


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/dispatch", "board", show)
    blueprint.add_url_rule("/dispatch.geojson", "geojson", geojson)
    blueprint.add_url_rule("/dispatch/plans/<int:plan_id>/rounds/<int:courier_id>", "round", round_list)
    blueprint.add_url_rule("/dispatch/plans", "plan", plan, methods=["POST"])
    blueprint.add_url_rule("/dispatch/plans/<int:plan_id>/progress", "progress", progress)
    blueprint.add_url_rule("/dispatch/plans/<int:plan_id>/cancel", "cancel", cancel, methods=["POST"])
    blueprint.add_url_rule("/dispatch/plans/<int:plan_id>/publish", "publish", publish, methods=["POST"])


@requires(Scope.DISPATCH_READ)
def show() -> flask.typing.ResponseReturnValue:
    """An outlet's day; the address holds which."""
    with unit_of_work() as session:
        facility_id, day = _asked(session)
        if facility_id is None:
            return flask.render_template("dispatch/board.html", board=None, day=day, outlets=[])
        plan_id = flask.request.args.get("plan", type=int)
        found = board(session, current_actor(), facility_id, day, now=now(), plan_id=plan_id)
        outlets = [one.facility for one in queries.outlets_of_day(session, day)]
        if all(outlet.id != found.facility.id for outlet in outlets):
            outlets.insert(0, found.facility)
        return flask.render_template(
            "dispatch/board.html",
            board=found,
            sentence=_sentence(found),
            day=day,
            day_before=next_day(day, -1),
            day_after=next_day(day, 1),
            outlets=outlets,
            left_shown=found.left[:LEFT_SHOWN_MAX],
            seconds_choices=SECONDS_CHOICES,
            undo_text=edit_text(found.undo) if found.undo else None,
            redo_text=edit_text(found.redo) if found.redo else None,
            now=now(),
        )


@requires(Scope.DISPATCH_READ)
def round_list(plan_id: int, courier_id: int) -> flask.typing.ResponseReturnValue:
    """The stops of one round: a part for a large board, the whole page without scripts."""
    with unit_of_work() as session:
        actor = current_actor()
        plan = queries.load_plan_head(session, actor, plan_id)
        courier = queries.load_courier(session, actor, courier_id)
        column = round_of(session, plan, courier)
        facility = network.load_facility(session, actor, plan.facility_id)
        movable = plan.status in SHOWN and not is_over(plan.day, facility.utc_offset_minutes, now())
        part = flask.request.headers.get("HX-Request-Type") == "partial"
        return flask.render_template(
            "dispatch/_round_list.html" if part else "dispatch/round.html",
            plan=plan,
            column=column,
            movable=movable and actor.may(Scope.DISPATCH_WRITE),
        )


@requires(Scope.DISPATCH_READ)
def geojson() -> flask.typing.ResponseReturnValue:
    """The board's rounds and stops for the map."""
    with unit_of_work() as session:
        facility_id, day = _asked(session)
        if facility_id is None:
            raise BadRequestError("the map needs a facility")
        plan_id = flask.request.args.get("plan", type=int)
        found = board(session, current_actor(), facility_id, day, now=now(), plan_id=plan_id)
        response = flask.jsonify(board_map(found))
    response.mimetype = "application/geo+json"
    return response


@requires(Scope.DISPATCH_WRITE)
def plan() -> flask.typing.ResponseReturnValue:
    """Ask for the rounds; the board shows how far they are."""
    form = flask.request.form
    facility_id, seconds = form.get("facility", type=int), form.get("seconds", 10, type=int)
    day = _day(form.get("day"))
    if facility_id is None or day is None:
        raise BadRequestError("a facility and a day are needed")
    with unit_of_work() as session:
        try:
            service.request_plan(
                session,
                current_actor(),
                facility_id=facility_id,
                day=day,
                seconds=seconds,
                even="even" in form,
                now=now(),
            )
        except ConflictError:
            flask.flash(_("These rounds are being planned already."), "info")
    return flask.redirect(flask.url_for(".board", facility=facility_id, day=day.isoformat()))


@requires(Scope.DISPATCH_READ)
def progress(plan_id: int) -> flask.typing.ResponseReturnValue:
    """How far a plan is; loads the board anew once there is something to see."""
    with unit_of_work() as session:
        found = queries.load_plan(session, current_actor(), plan_id)
        response = flask.make_response(
            flask.render_template("dispatch/_progress.html", plan=found, now=now())
        )
        if found.status not in PENDING:
            response.headers["HX-Refresh"] = "true"
        return response


@requires(Scope.DISPATCH_WRITE)
def cancel(plan_id: int) -> flask.typing.ResponseReturnValue:
    """Give up a plan that is not published."""
    with unit_of_work() as session:
        found = queries.load_plan(session, current_actor(), plan_id)
        service.cancel_plan(session, current_actor(), found, now=now())
        return to_board(found)


@requires(Scope.DISPATCH_WRITE)
def publish(plan_id: int) -> flask.typing.ResponseReturnValue:
    """Put the draft in force, if it is still what was looked at."""
    with unit_of_work() as session:
        found = queries.load_plan(session, current_actor(), plan_id)
        try:
            taken_out = service.publish(session, current_actor(), found, now=now(), version=posted_version())
        except StaleVersionError as error:
            return stale_page(session, plan_id, error, _("Publish this plan"))
        else:
            flask.flash(_("Published: the couriers see their rounds."), "success")
            if taken_out:
                flask.flash(
                    ngettext(
                        "%(num)s stop was taken out first: nobody has to make it any more.",
                        "%(num)s stops were taken out first: nobody has to make them any more.",
                        taken_out,
                    ),
                    "info",
                )
        return to_board(found)


def to_board(plan: Plan) -> flask.typing.ResponseReturnValue:
    """Back to the day of a plan."""
    shown = plan.id if flask.request.args.get("plan") == str(plan.id) else None
    return flask.redirect(
        flask.url_for(".board", facility=plan.facility_id, day=plan.day.isoformat(), plan=shown)
    )


def _asked(session: Session) -> tuple[int | None, date]:
    """The outlet and day in the address; otherwise today, and the outlet with the most to plan."""
    facility_id = flask.request.args.get("facility", type=int)
    day = _day(flask.request.args.get("day"))
    if facility_id is not None:
        facility = network.load_facility(session, current_actor(), facility_id)
        return facility_id, day or queries.local_day(now(), facility)
    day = day or queries.local_day(now(), None)
    busiest = queries.busiest_outlets(session, day=day, limit=1)
    if busiest:
        return busiest[0], day
    first = queries.first_outlet(session)
    return (None if first is None else first.id), day


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadRequestError("the day is not a date") from error


def _sentence(found: Board) -> str:
    left, couriers = len(found.left), len(found.columns)
    if not found.stops:
        return str(_("Nothing is to be collected or delivered on this day."))
    done = found.counts.get(StopStatus.DONE, 0)
    if left:
        return str(
            ngettext(
                "%(num)s of %(stops)s stops has no round yet; %(done)s done. Couriers: %(couriers)s.",
                "%(num)s of %(stops)s stops have no round yet; %(done)s done. Couriers: %(couriers)s.",
                left,
                stops=found.stops,
                done=done,
                couriers=couriers,
            )
        )
    return str(
        _(
            "Every stop has a round: %(stops)s stops, %(done)s done. Couriers: %(couriers)s.",
            stops=found.stops,
            done=done,
            couriers=couriers,
        )
    )
