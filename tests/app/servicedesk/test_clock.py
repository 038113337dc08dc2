"""Service clocks, by hand-worked days and by properties; no database."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.servicedesk.clock import OFFICE, Calendar, Happening, clocks
from app.servicedesk.values import CaseEventKind, CaseStatus, ClockKind

CHINA = ZoneInfo("Asia/Shanghai")
E, S = CaseEventKind, CaseStatus


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026 by China's clocks; the 2nd is a Monday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=CHINA).astimezone(UTC)


def opened(moment: datetime) -> Happening:
    return Happening(E.OPENED, moment, S.OPEN)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (at(6, 16, 30), at(9, 9, 30)),  # Friday half past four: half an hour is left, the rest on Monday
        (at(6, 17), at(9, 10)),
        (at(6, 16), at(6, 17)),
        (at(7, 12), at(9, 10)),  # Saturday
        (at(3, 6), at(3, 10)),  # before the desk opens
        (at(3, 23, 59), at(4, 10)),
    ],
)
def test_an_answer_is_due_after_one_hour_of_work(start, due):
    assert clocks([opened(start)]).next_due == (due, ClockKind.ANSWER)


def test_lunch_and_holidays_and_make_up_days_are_not_the_desks_hours():
    lunch = ((time(9), time(12)), (time(13, 30), time(17)))
    calendar = Calendar(CHINA, (lunch,) * 5 + ((),) * 2, {date(2026, 3, 9): (), date(2026, 3, 7): lunch})
    assert calendar.after(at(5, 11, 30), timedelta(hours=1)) == at(5, 14)
    assert calendar.after(at(6, 16, 30), timedelta(hours=1)) == at(7, 9, 30)  # the Saturday is made up for
    assert calendar.after(at(7, 16, 30), timedelta(hours=1)) == at(10, 9, 30)  # the Monday is a holiday
    assert calendar.between(at(5, 11), at(5, 14)) == timedelta(hours=1, minutes=30)


def test_working_time_is_real_time_also_when_summer_time_begins():
    berlin = ZoneInfo("Europe/Berlin")
    night = Calendar(berlin, (((time(0), time(6)),),) * 7)
    start = datetime(2026, 3, 29, 1, 0, tzinfo=berlin)  # two o'clock is three o'clock that night
    assert night.after(start, timedelta(hours=2)) == datetime(2026, 3, 29, 4, 0, tzinfo=berlin)


@pytest.mark.parametrize(
    "week",
    [
        ((),) * 7,
        (((time(9), time(17)),),) * 6,
        (((time(17), time(9)),),) * 7,
        (((time(9), time(12)), (time(11), time(17))),) * 7,
    ],
)
def test_a_calendar_that_cannot_be_is_refused(week):
    with pytest.raises(ValueError, match=r"calendar|spans"):
        Calendar(CHINA, week)


def test_a_calendar_that_is_all_holidays_does_not_search_for_ever():
    holidays = {date(2026, 1, 1) + timedelta(days=day): () for day in range(4000)}
    with pytest.raises(ValueError, match="ten years"):
        Calendar(CHINA, OFFICE.week, holidays).after(at(2, 9), timedelta(hours=1))


def test_an_answer_stops_the_clock_and_the_next_message_starts_it_anew():
    events = [opened(at(2, 9)), Happening(E.REPLY, at(2, 9, 20), S.OPEN)]
    assert clocks(events).answer_due_at is None
    assert clocks(events).next_due == (at(9, 9), ClockKind.LAW)
    events += [
        Happening(E.CUSTOMER_MESSAGE, at(2, 11), S.OPEN),
        Happening(E.CUSTOMER_MESSAGE, at(2, 11, 50), S.OPEN),
    ]
    assert clocks(events).answer_due_at == at(2, 12)  # the first unanswered word counts


def test_notes_and_owners_do_not_stop_the_clock():
    events = [
        opened(at(2, 9)),
        Happening(E.NOTE, at(2, 9, 10), S.OPEN),
        Happening(E.ASSIGNED, at(2, 9, 20), S.OPEN),
    ]
    assert clocks(events).answer_due_at == at(2, 10)


def test_waiting_for_the_customer_stops_our_clock_but_not_the_laws():
    events = [opened(at(2, 9)), Happening(E.WAITING, at(2, 9, 45), S.WAITING_CUSTOMER)]
    assert clocks(events).answer_due_at is None
    assert clocks(events).law_due_at == at(9, 9)
    events.append(Happening(E.NOTE, at(3, 10), S.WAITING_CUSTOMER))
    events.append(Happening(E.CUSTOMER_MESSAGE, at(4, 16, 55), S.OPEN))
    # A quarter of an hour was left.
    assert clocks(events).answer_due_at == at(5, 9, 10)


def test_waiting_does_not_forgive_a_promise_that_was_missed():
    events = [opened(at(2, 9)), Happening(E.WAITING, at(2, 11), S.WAITING_CUSTOMER)]
    assert clocks(events).answer_due_at == at(2, 10)


def test_the_law_counts_seven_days_and_again_after_a_reopening():
    events = [opened(at(2, 9)), Happening(E.RESOLVED, at(3, 9), S.RESOLVED)]
    assert clocks(events).told_at == at(3, 9)
    events.append(Happening(E.CLOSED, at(5, 9), S.CLOSED))
    assert clocks(events).told_at == at(3, 9)
    events.append(Happening(E.CUSTOMER_MESSAGE, at(10, 9), S.OPEN))
    now = clocks(events)
    assert (now.told_at, now.law_due_at, now.answer_due_at) == (None, at(17, 9), at(10, 10))


def test_a_case_without_events_has_no_clock():
    with pytest.raises(ValueError, match="opened"):
        clocks([])


MOMENTS = st.integers(0, 2 * 365 * 86_400).map(
    lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
WORK = st.timedeltas(timedelta(seconds=1), timedelta(hours=60))


@given(MOMENTS, WORK)
def test_between_undoes_after(start, work):
    due = OFFICE.after(start, work)
    assert OFFICE.between(start, due) == work
    local = due.astimezone(CHINA)
    assert local.weekday() < 5
    assert time(9) < local.time() <= time(17)


@given(MOMENTS, WORK, WORK)
def test_working_time_adds_up(start, first, second):
    assert OFFICE.after(OFFICE.after(start, first), second) == OFFICE.after(start, first + second)


def test_the_clock_needs_neither_web_nor_database():
    code = (
        "import sys, app.servicedesk.clock, app.servicedesk.transitions, app.servicedesk.custody;"
        "assert not {'flask', 'sqlalchemy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
