"""The roster of an outlet's day: who works, from when until when; all couriers on one page."""

from __future__ import annotations

from datetime import date, time

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.accounts.roles import Scope
from app.dispatch import queries
from app.dispatch.asked import asked_outlet
from app.dispatch.roster import Duty, roster, set_duty
from app.dispatch.roster_models import DayState
from app.dispatch.words import next_day
from app.errors import BadRequestError, InvalidInputError, NotFoundError
from app.network import queries as network
from app.network.models import Facility
from app.security import current_actor, requires
from app.web import now, unit_of_work

STATES = {
    DayState.WORKS: _l("At work"),
    DayState.OFF: _l("Off"),
    DayState.BROKEN_DOWN: _l("Broken down"),
}


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/dispatch/roster", "roster", show)
    blueprint.add_url_rule("/dispatch/roster/<int:facility_id>", "save_roster", save, methods=["POST"])


@requires(Scope.DISPATCH_READ)
def show() -> flask.typing.ResponseReturnValue:
    """The couriers of an outlet on the day in the address, or today."""
    with unit_of_work() as session:
        facility = asked_outlet(session)
        if facility is None:
            raise NotFoundError("no outlet has couriers")
        day = _day(flask.request.args.get("day")) or queries.local_day(now(), facility)
        return _page(facility, day, roster(session, facility.id, day), {})


@requires(Scope.DISPATCH_WRITE)
def save(facility_id: int) -> flask.typing.ResponseReturnValue:
    """Save what differs, courier by courier; one that cannot be saved is told and loses nothing."""
    day = _day(flask.request.form.get("day"))
    if day is None:
        raise BadRequestError("a day is needed")
    with unit_of_work() as session:
        actor = current_actor()
        facility = network.load_facility(session, actor, facility_id)
        changed, wrong = 0, {}
        for one in roster(session, facility_id, day):
            if f"state-{one.courier.id}" not in flask.request.form:
                continue
            try:
                state, start_s, end_s = _typed(one)
                changed += set_duty(
                    session,
                    actor,
                    one.courier,
                    day,
                    state=state,
                    shift_start_s=start_s,
                    shift_end_s=end_s,
                    now=now(),
                )
            except (InvalidInputError, ValueError):
                wrong[one.courier.id] = _("The shift ends before it starts.")
        if wrong:
            session.rollback()
            return _page(facility, day, roster(session, facility_id, day), wrong), 422
    flask.flash(
        ngettext("%(num)s courier changed.", "%(num)s couriers changed.", changed)
        if changed
        else _("Nothing was changed."),
        "success" if changed else "info",
    )
    return flask.redirect(flask.url_for(".roster", facility=facility_id, day=day.isoformat()))


def _page(facility: Facility, day: date, duties: tuple[Duty, ...], wrong: dict[int, str]) -> str:
    return flask.render_template(
        "dispatch/roster.html",
        facility=facility,
        day=day,
        day_before=next_day(day, -1),
        day_after=next_day(day, 1),
        duties=[one for one in duties if one.courier.active],
        states=STATES,
        wrong=wrong,
    )


def _typed(one: Duty) -> tuple[DayState, int, int]:
    form, key = flask.request.form, one.courier.id
    start = time.fromisoformat(form.get(f"from-{key}", ""))
    end = time.fromisoformat(form.get(f"to-{key}", ""))
    return (
        DayState(form[f"state-{key}"]),
        start.hour * 3600 + start.minute * 60,
        end.hour * 3600 + end.minute * 60,
    )


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadRequestError("the day is not a date") from error
