"""The page of a lane: its facts, its timetable, the days on which it rests."""

from __future__ import annotations

import flask
from sqlalchemy.orm import Session

from app.network import labels, overview, timetables
from app.network.forms import HolidayForm, ReasonForm
from app.network.models import LANE_CURRENCY, Lane
from app.web import now


def render(session: Session, lane: Lane, form: ReasonForm, holidays: HolidayForm) -> str:
    """The page with its two forms as they stand; days that are past are not shown."""
    today = overview.local_day(now(), lane.from_facility.utc_offset_minutes)
    return flask.render_template(
        "network/lane.html",
        lane=lane,
        form=form,
        holiday_form=holidays,
        resting=[one for one in timetables.holidays_of(session, lane) if one.day >= today],
        labels=labels,
        currency=LANE_CURRENCY,
    )
