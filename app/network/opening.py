"""Until when a place is open, in words for who wants to fetch or bring a parcel."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import gettext as _

from app.formatting import datetime_local
from app.network.models import Facility

_NO_END = timedelta(days=2)


def opening_words(facility: Facility, now: datetime) -> str:
    """Whether a place is open at a moment, and until or from when, by its own clocks and closed days."""
    hours = facility.working_hours(one.day for one in facility.holidays)
    until = None if facility.closed_at is not None else hours.open_until(now)
    if until is not None:
        if until - now > _NO_END:
            return str(_("Open round the clock"))
        return str(_("Open until %(when)s", when=_local(facility, until, now)))
    opens = None if facility.closed_at is not None else hours.opens_next(now)
    if opens is None:
        return str(_("Closed for the time being"))
    return str(_("Closed now; opens %(when)s", when=_local(facility, opens, now)))


def _local(facility: Facility, moment: datetime, now: datetime) -> str:
    """The time of today; the day with it on another one."""
    zone = facility.working_hours(()).zone
    there = moment.astimezone(zone)
    offset = (there.utcoffset() or timedelta()) // timedelta(minutes=1)
    # What closes at midnight closes today.
    same_day = (there - timedelta(seconds=1)).date() == now.astimezone(zone).date()
    if same_day and there.date() != now.astimezone(zone).date():
        return "24:00"
    return datetime_local(moment, offset, "time" if same_day else "short")
