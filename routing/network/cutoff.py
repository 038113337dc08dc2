"""Cut-offs and rounds: when a booked parcel lies ready at its outlet, and when the last mile ends.

By the hours of the outlet, and of the store, locker or collective point where one has a part in it. They are
planned times: `tracking.promise` adds what is known of how such plans go.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from routing.network.clock import moment_s
from routing.network.errors import InvalidNetworkError
from routing.network.facility import Handover
from routing.network.hours import WorkingHours

COLLECTION_S = 3 * 3600
"""From booking to lying at the outlet, within the collecting hours."""
ROUND_S = 4 * 3600
POINT_FILLED_S = 2 * 3600
"""From the start of a round until it has filled the points it passes."""
LOADING_S = 3600
"""A round takes along what had arrived so long before it starts."""
REACH_DAYS = 120
"""What waits for a place that stays closed longer is planned as if it opened then."""

_AT_POINTS = frozenset({Handover.STORE, Handover.LOCKER, Handover.COLLECTIVE_POINT})
_CALENDAR_DAYS = 28
_SECONDS_PER_DAY = 86_400
_NO_END = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """What can be passed at certain times only: a counter while it is open, a round when it starts.

    Attributes:
        delay_s: what it takes to come to it.
        opens, closes: rising, in seconds since 1970-01-01 UTC; the second is the last one that counts. What
            opens last has no end.
    """

    delay_s: int
    opens: "array[int]"
    closes: "array[int]"

    def passed_at(self, moment: datetime) -> datetime:
        """When something that sets out for it at a moment has passed."""
        there = moment + timedelta(seconds=self.delay_s)
        second = int(there.timestamp())
        opens = self.opens[bisect_left(self.closes, second)]
        return there if opens <= second else datetime.fromtimestamp(opens, UTC)


@dataclass(frozen=True, slots=True, eq=False)
class HandingOver:
    """The last mile from an outlet: gates to pass, one after the other, and what is left to do then."""

    gates: tuple[Gate, ...]
    ends_s: int


def ready_at(
    booked_at: datetime, handover: Handover, outlet: WorkingHours, point: WorkingHours | None = None
) -> datetime:
    """When a parcel booked now lies at its origin outlet.

    Args:
        booked_at: aware.
        handover: how the shipper gives it away.
        outlet: hours of the origin outlet.
        point: hours of the store, locker or collective point where it is given away; those of the outlet
            where it is not known.

    Raises:
        InvalidNetworkError: `booked_at` has no offset.
    """
    gate = _giving_away(handover, outlet, point if handover in _AT_POINTS else None, _calendar_of(booked_at))
    ready = gate.passed_at(booked_at.astimezone(UTC))
    return ready + timedelta(seconds=COLLECTION_S) if handover is Handover.DOOR else ready


def handed_over_at(
    arrived_at: datetime, handover: Handover, outlet: WorkingHours, point: WorkingHours | None = None
) -> datetime:
    """When a parcel that arrives at its last outlet is with its consignee, or waits for him at a point.

    Args:
        arrived_at: aware.
        handover: how the consignee gets it.
        outlet: hours of the destination outlet.
        point: hours of the store, locker or collective point that it goes to.

    Raises:
        InvalidNetworkError: `arrived_at` has no offset.
    """
    rule = handing_over(arrived_at, handover, outlet, point)
    moment = arrived_at.astimezone(UTC)
    for gate in rule.gates:
        moment = gate.passed_at(moment)
    return moment + timedelta(seconds=rule.ends_s)


def handing_over(
    arrived_at: datetime, handover: Handover, outlet: WorkingHours, point: WorkingHours | None = None
) -> HandingOver:
    """The rule of `handed_over_at`, with the dates that matter to what arrives about then; same arguments."""
    at_point = handover in _AT_POINTS
    return _handing_over(handover, outlet, point if at_point else None, _calendar_of(arrived_at))


def next_round(outlet: WorkingHours, moment: datetime) -> datetime:
    """When the first delivery round of an outlet starts that takes along what lies there at a moment."""
    return handing_over(moment, Handover.DOOR, outlet).gates[0].passed_at(moment.astimezone(UTC))


def _calendar_of(moment: datetime) -> int:
    if moment.utcoffset() is None:
        raise InvalidNetworkError("a time with an offset was expected")
    return int(moment.timestamp() // (_CALENDAR_DAYS * _SECONDS_PER_DAY))


@lru_cache(maxsize=8192)
def _giving_away(handover: Handover, outlet: WorkingHours, point: WorkingHours | None, calendar: int) -> Gate:
    if handover is Handover.OUTLET:
        return _open(outlet, 0, calendar)
    if handover is Handover.DOOR:
        collected = (
            (day, day_opens[0][0], outlet.collection_cutoff_minute)
            for day in _days(calendar)
            if (day_opens := outlet.intervals_on(day))
        )
        return _gate(
            0,
            (
                (moment_s(outlet.timezone, day.toordinal(), start), _last(outlet, day, end))
                for day, start, end in collected
                if start < end
            ),
            calendar,
        )
    emptied = point or outlet
    moments = (
        moment_s(emptied.timezone, day.toordinal(), emptied.collection_cutoff_minute)
        for day in _days(calendar)
        if emptied.intervals_on(day) and outlet.intervals_on(day)
    )
    return _gate(0, ((moment, moment) for moment in moments), calendar)


@lru_cache(maxsize=8192)
def _handing_over(
    handover: Handover, outlet: WorkingHours, point: WorkingHours | None, calendar: int
) -> HandingOver:
    if handover is Handover.OUTLET:
        return HandingOver((_open(outlet, LOADING_S, calendar),), 0)
    starts = (
        moment_s(outlet.timezone, day.toordinal(), minute)
        for day in _days(calendar)
        if outlet.intervals_on(day)
        for minute in outlet.round_minutes
    )
    rounds = _gate(LOADING_S, ((start, start) for start in starts), calendar)
    if handover is Handover.DOOR:
        return HandingOver((rounds,), ROUND_S)
    if point is None:
        return HandingOver((rounds,), POINT_FILLED_S)
    return HandingOver((rounds, _open(point, POINT_FILLED_S, calendar)), 0)


def _open(hours: WorkingHours, delay_s: int, calendar: int) -> Gate:
    """While a place is open."""
    days = _days(calendar)
    windows = hours.windows(days[0], len(days))
    return _gate(delay_s, ((start, end - 1) for start, end in windows), calendar)


def _last(hours: WorkingHours, day: date, minute: int) -> int:
    """The last second before a minute of a day."""
    return moment_s(hours.timezone, day.toordinal(), minute) - 1


def _days(calendar: int) -> list[date]:
    """The local dates that matter to what happens in four weeks: a day more before, for local time."""
    first = date(1970, 1, 1).toordinal() + calendar * _CALENDAR_DAYS - 1
    return [date.fromordinal(first + step) for step in range(_CALENDAR_DAYS + REACH_DAYS)]


def _gate(delay_s: int, openings: Iterable[tuple[int, int]], calendar: int) -> Gate:
    opens, closes = array("q"), array("q")
    for start, end in openings:
        # What clock changes put out of order can be passed no earlier.
        if not closes or start > closes[-1]:
            opens.append(start)
            closes.append(end)
    end_of_calendar = (calendar + 1) * _CALENDAR_DAYS * _SECONDS_PER_DAY + REACH_DAYS * _SECONDS_PER_DAY
    opens.append(max(end_of_calendar, closes[-1] + 1 if closes else 0))
    closes.append(_NO_END)
    return Gate(delay_s, opens, closes)
