"""The days on which a lane does not run or a facility does not work, as their pages change them."""

from __future__ import annotations

from datetime import date

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.errors import InvalidInputError, NotFoundError
from app.network import facility_page, lane_page, queries, timetables
from app.network.forms import HolidayForm, ReasonForm
from app.network.models import Facility, Lane
from app.security import current_actor, requires
from app.web import now, unit_of_work


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    for path, kind, add, remove in (
        ("/network/lanes/<int:lane_id>/holidays", "", add_of_lane, remove_of_lane),
        ("/network/facilities/<int:facility_id>/holidays", "facility_", add_of_facility, remove_of_facility),
    ):
        plural, single = f"add_{kind}holidays", f"remove_{kind}holiday"
        blueprint.add_url_rule(path, plural, add, methods=["POST"])
        blueprint.add_url_rule(f"{path}/<day>/remove", single, remove, methods=["POST"])


@requires(Scope.ADMIN)
def add_of_lane(lane_id: int) -> flask.typing.ResponseReturnValue:
    """Let a lane rest on some days."""
    form = HolidayForm()
    with unit_of_work() as session:
        lane = queries.load_lane(session, current_actor(), lane_id)
        if not _add(session, lane, form):
            return lane_page.render(session, lane, ReasonForm(formdata=None), form), 422
    return flask.redirect(flask.url_for("network.lane", lane_id=lane_id))


@requires(Scope.ADMIN)
def add_of_facility(facility_id: int) -> flask.typing.ResponseReturnValue:
    """Let a facility rest on some days."""
    form = HolidayForm()
    with unit_of_work() as session:
        facility = queries.load_facility(session, current_actor(), facility_id)
        if not _add(session, facility, form):
            return facility_page.render(session, facility, ReasonForm(formdata=None), form), 422
    return flask.redirect(flask.url_for("network.facility", facility_id=facility_id))


@requires(Scope.ADMIN)
def remove_of_lane(lane_id: int, day: str) -> flask.typing.ResponseReturnValue:
    """Let a lane run on a day again."""
    with unit_of_work() as session:
        lane = queries.load_lane(session, current_actor(), lane_id)
        timetables.remove_holiday(session, current_actor(), lane, day_of(day), now=now())
    flask.flash(_("It runs on that day again."), "success")
    return flask.redirect(flask.url_for("network.lane", lane_id=lane_id))


@requires(Scope.ADMIN)
def remove_of_facility(facility_id: int, day: str) -> flask.typing.ResponseReturnValue:
    """Let a facility work on a day again."""
    with unit_of_work() as session:
        facility = queries.load_facility(session, current_actor(), facility_id)
        timetables.remove_holiday(session, current_actor(), facility, day_of(day), now=now())
    flask.flash(_("It works on that day again."), "success")
    return flask.redirect(flask.url_for("network.facility", facility_id=facility_id))


def _add(session: Session, subject: Lane | Facility, form: HolidayForm) -> bool:
    """Whether the days could be written down; what is wrong stands at the fields of the form."""
    if not form.validate():
        return False
    assert form.first_day.data is not None, "validated"
    first, last, why = form.first_day.data, form.last_day.data, form.why.data or ""
    try:
        added = timetables.add_holidays(session, current_actor(), subject, first, last, reason=why, now=now())
    except InvalidInputError:
        form.last_day.errors = [_("It must not lie before the first day, nor two months after it.")]
        return False
    flask.flash(
        ngettext(
            "It rests on %(num)s day more; parcels on their way are being planned anew.",
            "It rests on %(num)s days more; parcels on their way are being planned anew.",
            added,
        ),
        "success",
    )
    return True


def day_of(text: str) -> date:
    """A day in an address.

    Raises:
        NotFoundError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotFoundError("there is no such day") from error
