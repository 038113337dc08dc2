"""The days on which a lane does not run or a facility does not work, as their pages change them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.errors import InvalidInputError, NotFoundError
from app.network import facility_page, lane_page, timetables
from app.network.forms import HolidayForm, ReasonForm
from app.network.models import Facility, Lane
from app.network.resting import FACILITIES, LANES, Resting
from app.security import current_actor, requires
from app.web import now, unit_of_work


@dataclass(frozen=True, slots=True)
class _Pages:
    """Of one kind of what rests: the page that shows it, and what is said when a day is taken back."""

    kind: Resting
    endpoint: str
    render: Callable[[Session, Any, ReasonForm, HolidayForm], str]
    works_again: Any


_PAGES = (
    _Pages(LANES, "network.lane", lane_page.render, _l("It runs on that day again.")),
    _Pages(FACILITIES, "network.facility", facility_page.render, _l("It works on that day again.")),
)


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    for pages in _PAGES:
        path = pages.kind.path
        blueprint.add_url_rule(path, pages.kind.add, _adding(pages), methods=["POST"])
        blueprint.add_url_rule(f"{path}/<day>/remove", pages.kind.remove, _removing(pages), methods=["POST"])


def _adding(pages: _Pages) -> Callable[..., flask.typing.ResponseReturnValue]:
    @requires(Scope.ADMIN)
    def add(**address: Any) -> flask.typing.ResponseReturnValue:
        """Let a lane or facility rest on some days."""
        (subject_id,) = address.values()
        form = HolidayForm()
        with unit_of_work() as session:
            subject = pages.kind.load(session, current_actor(), subject_id)
            if not _add(session, subject, form):
                return pages.render(session, subject, ReasonForm(formdata=None), form), 422
        return flask.redirect(flask.url_for(pages.endpoint, **address))

    return add


def _removing(pages: _Pages) -> Callable[..., flask.typing.ResponseReturnValue]:
    @requires(Scope.ADMIN)
    def remove(day: str, **address: Any) -> flask.typing.ResponseReturnValue:
        """Let a lane run, or a facility work, on a day again."""
        (subject_id,) = address.values()
        with unit_of_work() as session:
            subject = pages.kind.load(session, current_actor(), subject_id)
            timetables.remove_holiday(session, current_actor(), subject, day_of(day), now=now())
        flask.flash(str(pages.works_again), "success")
        return flask.redirect(flask.url_for(pages.endpoint, **address))

    return remove


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
