"""A plan's journal of changes: taken back, made again, told to those who look at an older version."""

from __future__ import annotations

from collections.abc import Callable

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import ngettext

from app.accounts.roles import Scope
from app.dispatch import journal, queries, service
from app.dispatch.board_pages import to_board
from app.dispatch.change_words import change_text, edit_text
from app.dispatch.edit_models import PlanEdit
from app.dispatch.stale import posted_version, stale_page
from app.errors import BadRequestError, ConflictError, StaleVersionError
from app.network.models import Facility
from app.security import current_actor, requires
from app.web import now, unit_of_work

_PREFIX = "/dispatch/plans/<int:plan_id>"


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule(f"{_PREFIX}/edits", "edits", index)
    blueprint.add_url_rule(f"{_PREFIX}/news", "news", news)
    blueprint.add_url_rule(f"{_PREFIX}/undo", "undo", undo, methods=["POST"])
    blueprint.add_url_rule(f"{_PREFIX}/redo", "redo", redo, methods=["POST"])
    blueprint.add_url_rule(
        f"{_PREFIX}/rounds/<int:courier_id>/lock", "lock_round", lock_round, methods=["POST"]
    )


@requires(Scope.DISPATCH_READ)
def index(plan_id: int) -> flask.typing.ResponseReturnValue:
    """What was changed by hand in a plan, by whom and when, latest first."""
    with unit_of_work() as session:
        plan = queries.load_plan(session, current_actor(), plan_id)
        return flask.render_template(
            "dispatch/edits.html",
            plan=plan,
            facility=session.get_one(Facility, plan.facility_id),
            edits=[(one.edit, edit_text(one)) for one in journal.edits_of(session, plan_id)],
        )


@requires(Scope.DISPATCH_READ)
def news(plan_id: int) -> flask.typing.ResponseReturnValue:
    """What others did since the version that is looked at: a part of the board; 204 when nothing."""
    version = flask.request.args.get("version", type=int)
    with unit_of_work() as session:
        plan = queries.load_plan_head(session, current_actor(), plan_id)
        if version is None:
            raise BadRequestError("the version that is looked at is missing")
        if plan.version == version:
            return "", 204
        changes = journal.changes_since(session, plan, version)
        return flask.render_template(
            "dispatch/_news.html", plan=plan, changes=[change_text(change) for change in changes]
        )


@requires(Scope.DISPATCH_WRITE)
def undo(plan_id: int) -> flask.typing.ResponseReturnValue:
    """Take back the last change by hand."""
    return _step(plan_id, service.undo, _("Undo"), _("Taken back."))


@requires(Scope.DISPATCH_WRITE)
def redo(plan_id: int) -> flask.typing.ResponseReturnValue:
    """Make the change again that was taken back last."""
    return _step(plan_id, service.redo, _("Redo"), _("Made again."))


@requires(Scope.DISPATCH_WRITE)
def lock_round(plan_id: int, courier_id: int) -> flask.typing.ResponseReturnValue:
    """Tie a courier's whole round to him, or untie it."""
    locked = flask.request.form.get("locked") == "yes"
    with unit_of_work() as session:
        plan = queries.load_plan(session, current_actor(), plan_id)
        try:
            count = service.set_round_lock(
                session, current_actor(), plan, courier_id, locked=locked, version=posted_version(), now=now()
            )
        except StaleVersionError as error:
            wanted = _("Lock the round") if locked else _("Unlock the round")
            return stale_page(session, plan_id, error, wanted)
        told = (
            ngettext("%(num)s stop locked.", "%(num)s stops locked.", count)
            if locked
            else ngettext("%(num)s stop unlocked.", "%(num)s stops unlocked.", count)
        )
        flask.flash(told, "success")
        return to_board(plan)


def _refusals() -> dict[str, str]:
    return {
        "nothing": _("There is nothing left to do: somebody was quicker."),
        "gone_on": _("A courier has gone on since; his round cannot be put back."),
        "not_wanted": _("A stop of it is not to be made on this day any more."),
    }


def _step(
    plan_id: int, step: Callable[..., PlanEdit], wanted: str, told: str
) -> flask.typing.ResponseReturnValue:
    with unit_of_work() as session:
        plan = queries.load_plan(session, current_actor(), plan_id)
        try:
            step(session, current_actor(), plan, version=posted_version(), now=now())
        except StaleVersionError as error:
            return stale_page(session, plan_id, error, wanted)
        except ConflictError as error:
            session.rollback()
            reason = str(error.extra.get("reason"))
            flask.flash(str(_refusals().get(reason) or _("The plan cannot be changed now.")), "error")
        else:
            flask.flash(told, "success")
        return to_board(plan)
