"""Service clocks: by when somebody must act, recomputed from everything that happened to a case.

Pure: values in, values out. No counter is kept anywhere, so a corrected calendar or a late event changes
every due time it should change and no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from app.servicedesk.values import CaseEventKind, CaseStatus, ClockKind

_DAYS_AHEAD_MAX = 3660

Span = tuple[time, time]


@dataclass(frozen=True, slots=True)
class Calendar:
    """When somebody is at work, by the clocks of one place.

    Args:
        zone: the place's time zone.
        week: spans of work for each weekday, Monday first; several spans leave a break between them.
        exceptions: spans of single days that differ: none on a holiday, some on a make-up workday.

    Raises:
        ValueError: there are not seven days, no work at all, or spans that overlap or run backwards.
    """

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    exceptions: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.week) != 7 or not any(self.week):
            raise ValueError("a calendar has seven days, and work on at least one of them")
        for spans in (*self.week, *self.exceptions.values()):
            edges = [edge for span in spans for edge in span]
            if any(later <= earlier for earlier, later in pairwise(edges)):
                raise ValueError(f"spans of a day stand in order and do not overlap: {spans}")

    def spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Spans of work from a moment on, in UTC, the first one cut at the moment."""
        start = start.astimezone(UTC)  # arithmetic within a zone ignores its change to summer time
        day = start.astimezone(self.zone).date()
        for offset in range(_DAYS_AHEAD_MAX):
            on = day + timedelta(days=offset)
            for begin, end in self.exceptions.get(on, self.week[on.weekday()]):
                begin_at = datetime.combine(on, begin, self.zone).astimezone(UTC)
                end_at = datetime.combine(on, end, self.zone).astimezone(UTC)
                if end_at > start:
                    yield max(begin_at, start), end_at

    def after(self, start: datetime, work: timedelta) -> datetime:
        """The moment at which so much working time has passed.

        Work that would end with a day's last minute ends there, not at the next day's first.

        Raises:
            ValueError: no work in ten years to come.
        """
        for begin_at, end_at in self.spans(start):
            if work <= end_at - begin_at:
                return begin_at + work
            work -= end_at - begin_at
        raise ValueError("the calendar has no work in ten years to come")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two moments."""
        total = timedelta()
        for begin_at, end_at in self.spans(start):
            if begin_at >= end:
                break
            total += min(end_at, end) - begin_at
        return total


_OFFICE_DAY: tuple[Span, ...] = ((time(9), time(17)),)
OFFICE = Calendar(ZoneInfo("Asia/Shanghai"), (_OFFICE_DAY,) * 5 + ((),) * 2)
"""The desk's hours: Monday to Friday, nine to five."""

ANSWER_TARGET = timedelta(hours=1)
"""Working time in which a customer's word is answered."""

LAW_TARGET = timedelta(days=7)
"""Calendar time in which a complaint is handled and the customer told (Express Regulations, Article 28)."""


@dataclass(frozen=True, slots=True)
class Happening:
    """What a clock needs of an event: what, when (aware), and how the case stood afterwards."""

    kind: CaseEventKind
    at: datetime
    status: CaseStatus


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of a case at its last event.

    Args:
        law_due_at: by when the law wants it handled; counted from its opening or last reopening.
        answer_due_at: by when the customer's unanswered word is to be answered; None when nothing is
            unanswered, or while the customer is waited for in time.
        told_at: when the customer was last told the outcome; None before that, or after a reopening.
    """

    law_due_at: datetime
    answer_due_at: datetime | None
    told_at: datetime | None

    @property
    def next_due(self) -> tuple[datetime, ClockKind]:
        """The clock that runs out first."""
        if self.answer_due_at is not None and self.answer_due_at < self.law_due_at:
            return self.answer_due_at, ClockKind.ANSWER
        return self.law_due_at, ClockKind.LAW


_ASKS = frozenset({CaseEventKind.OPENED, CaseEventKind.CUSTOMER_MESSAGE})
_ANSWERS = frozenset({CaseEventKind.REPLY, CaseEventKind.RESOLVED})
_DONE = frozenset({CaseStatus.RESOLVED, CaseStatus.CLOSED})


def clocks(
    events: Sequence[Happening],
    *,
    calendar: Calendar = OFFICE,
    answer_target: timedelta = ANSWER_TARGET,
    law_target: timedelta = LAW_TARGET,
) -> Clocks:
    """The clocks of a case from all its events.

    The law's clock never pauses: it runs from the complaint until the customer is told. Ours runs from the
    first unanswered word of the customer, in working time, and stands still while the customer is waited for.

    Args:
        events: all of a case, in order; the first one opens it.
        calendar: the desk's working hours.
        answer_target: working time for an answer.
        law_target: calendar time for the outcome.

    Raises:
        ValueError: there are no events.
    """
    if not events:
        raise ValueError("a case has at least the event that opened it")
    complained_at = events[0].at
    told_at: datetime | None = None
    due_at: datetime | None = None  # while the answer's clock runs
    left: timedelta | None = None  # while it stands still
    for event in events:
        if event.kind in _ANSWERS:
            due_at = left = None
        elif event.kind in _ASKS and due_at is None and left is None:
            due_at = calendar.after(event.at, answer_target)
        waiting = event.status is CaseStatus.WAITING_CUSTOMER
        # A promise that was missed stays missed: waiting for the customer does not forgive it.
        if waiting and due_at is not None and event.at < due_at:
            left = calendar.between(event.at, due_at)
            due_at = None
        elif not waiting and left is not None:
            due_at, left = calendar.after(event.at, left), None
        if event.status in _DONE:
            told_at = told_at or event.at
        elif told_at is not None:
            complained_at, told_at = event.at, None
    return Clocks(law_due_at=complained_at + law_target, answer_due_at=due_at, told_at=told_at)
