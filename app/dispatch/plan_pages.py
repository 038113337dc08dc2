"""A day's plans beside each other, and the search for one that is ended early."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _

from app.accounts.roles import Scope
from app.dispatch import queries, service
from app.dispatch.board_pages import to_board
from app.errors import ConflictError
from app.network.models import Facility
from app.security import current_actor, requires
from app.web import now, unit_of_work

SHIFTED_SHOWN_MAX = 200


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/dispatch/plans/<int:plan_id>/compare", "compare", compare)
    blueprint.add_url_rule("/dispatch/plans/<int:plan_id>/enough", "enough", enough, methods=["POST"])


@requires(Scope.DISPATCH_READ)
def compare(plan_id: int) -> flask.typing.ResponseReturnValue:
    """A plan beside another of its day (`other` in the address, else the newest): figures, and what moves."""
    other_id = flask.request.args.get("other", type=int)
    with unit_of_work() as session:
        actor = current_actor()
        plan = queries.load_plan_head(session, actor, plan_id)
        plans = service.plans_of_day(session, plan.facility_id, plan.day)
        if other_id is None:
            other_id = service.newest_beside(session, plan)
        found = None
        if other_id is not None:
            found = service.compare(session, plan, queries.load_plan_head(session, actor, other_id))
        return flask.render_template(
            "dispatch/compare.html",
            plan=plan,
            plans=plans,
            found=found,
            facility=session.get_one(Facility, plan.facility_id),
            shifted=() if found is None else found.shifted[:SHIFTED_SHOWN_MAX],
        )


@requires(Scope.DISPATCH_WRITE)
def enough(plan_id: int) -> flask.typing.ResponseReturnValue:
    """End the search with the best plan so far."""
    with unit_of_work() as session:
        plan = queries.load_plan_head(session, current_actor(), plan_id)
        try:
            service.keep_best(session, current_actor(), plan, now=now())
        except ConflictError:
            session.rollback()
            flask.flash(_("There was nothing to end: the search is over, or has found nothing yet."), "info")
        return to_board(plan)
