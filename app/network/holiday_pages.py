"""The days on which a lane does not run, as its page changes them."""

from __future__ import annotations

from datetime import date

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import ngettext

from app.accounts.roles import Scope
from app.errors import InvalidInputError, NotFoundError
from app.network import lane_page, queries, timetables
from app.network.forms import HolidayForm, ReasonForm
from app.security import current_actor, requires
from app.web import now, unit_of_work


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/network/lanes/<int:lane_id>/holidays", "add_holidays", add, methods=["POST"])
    blueprint.add_url_rule(
        "/network/lanes/<int:lane_id>/holidays/<day>/remove", "remove_holiday", remove, methods=["POST"]
    )


@requires(Scope.ADMIN)
def add(lane_id: int) -> flask.typing.ResponseReturnValue:
    """Let a lane rest on some days."""
    form = HolidayForm()
    with unit_of_work() as session:
        actor = current_actor()
        lane = queries.load_lane(session, actor, lane_id)
        if not form.validate():
            return lane_page.render(session, lane, ReasonForm(formdata=None), form), 422
        assert form.first_day.data is not None, "validated"
        try:
            added = timetables.add_holidays(
                session,
                actor,
                lane,
                form.first_day.data,
                form.last_day.data,
                reason=form.why.data or "",
                now=now(),
            )
        except InvalidInputError:
            form.last_day.errors = [_("It must not lie before the first day, nor two months after it.")]
            return lane_page.render(session, lane, ReasonForm(formdata=None), form), 422
    flask.flash(
        ngettext(
            "It rests on %(num)s day more; parcels on their way are being planned anew.",
            "It rests on %(num)s days more; parcels on their way are being planned anew.",
            added,
        ),
        "success",
    )
    return flask.redirect(flask.url_for("network.lane", lane_id=lane_id))


@requires(Scope.ADMIN)
def remove(lane_id: int, day: str) -> flask.typing.ResponseReturnValue:
    """Let a lane run on a day again."""
    with unit_of_work() as session:
        actor = current_actor()
        lane = queries.load_lane(session, actor, lane_id)
        timetables.remove_holiday(session, actor, lane, day_of(day), now=now())
    flask.flash(_("It runs on that day again."), "success")
    return flask.redirect(flask.url_for("network.lane", lane_id=lane_id))


def day_of(text: str) -> date:
    """A day in an address.

    Raises:
        NotFoundError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotFoundError("there is no such day") from error
