"""The page of a facility: what it is, when it works, its days of rest, its lanes with today's departures."""

from __future__ import annotations

import flask
from sqlalchemy.orm import Session

from app.network import labels, overview, timetables
from app.network.forms import HolidayForm, ReasonForm
from app.network.hours_text import intervals_written, times_written, written
from app.network.models import Facility
from app.web import now
from routing.network import HANDOVERS, Handover


def render(session: Session, found: Facility, form: ReasonForm, holidays: HolidayForm) -> str:
    """The page with its two forms as they stand; days of rest that are past are not shown."""
    hours = found.working_hours(())
    today = now().astimezone(hours.zone).date()
    day = overview.local_day(now(), found.utc_offset_minutes)
    out, into = overview.lanes_of(session, found)
    return flask.render_template(
        "network/facility.html",
        facility=found,
        form=form,
        holiday_form=holidays,
        resting=[one for one in timetables.holidays_of(session, found) if one.day >= today],
        week=[
            (name, ", ".join(intervals_written(of_day)))
            for (_bit, name), of_day in zip(labels.WEEKDAYS_BY_BIT, hours.intervals_by_weekday(), strict=True)
        ],
        cutoff=written(hours.collection_cutoff_minute) if HANDOVERS[found.kind] else None,
        rounds=times_written(hours.round_minutes) if Handover.DOOR in HANDOVERS[found.kind] else None,
        day=day,
        now=now(),
        lanes_out=[(each, overview.trips_on(each, day)) for each in out],
        lanes_in=[(each, overview.trips_on(each, day)) for each in into],
        kinds=labels.KINDS,
        modes=labels.MODES,
        operators=labels.OPERATORS,
    )
