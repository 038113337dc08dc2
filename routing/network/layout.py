"""A network laid out in lists for searching, with its departures expanded when they are asked for."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from routing.network.facility import Facility
from routing.network.sorting import Sorting
from routing.network.timetable import DatedLanes, Lane
from routing.network.transfer import HORIZON_DAYS, HORIZON_S, Transfers

_EPOCH = date(1970, 1, 1)
_BLOCKS_KEPT_MAX = 8
_CLOSURES_KEPT_MAX = 64


@dataclass(slots=True)
class Block:
    """The timetable of twice the horizon, the transfers in it, and when anything leaves a place.

    Attributes:
        sorting: when parcels have been sorted. A place whose `Layout.sorts_always` is set needs no question.
    """

    dated: DatedLanes
    sorting: Sorting
    transfers: Transfers
    departures: dict[int, list[int]] = field(default_factory=dict)


class Layout:
    """The network laid out in lists, with its departures expanded on first use.

    Departures are kept in blocks of twice the horizon, so that any moment has a whole horizon ahead of it
    in the block it falls in. All positions are indices into the facilities and lanes given.

    Attributes:
        sort_s: by position of the facility, seconds of handling.
        sorts_always: by position of the facility, whether it does not close for sorting: all but those
            sorting centres that have hours.
        lane_from, lane_to: by position of the lane, positions of the facilities it joins.
        lanes_out, lanes_in: by position of the facility, positions of the lanes.
        centres: by rank, positions of the sorting centres.
        rank: by position of the facility, which of the sorting centres it is; -1 when it is none.
        ends: by position of the lane, the rank of the facility where it ends.
        transfers_out: by rank, positions of the lanes to other sorting centres.
        transfer_lanes: positions of all of those.
    """

    def __init__(self, facilities: Sequence[Facility], lanes: Sequence[Lane]) -> None:
        position = {facility.facility_id: index for index, facility in enumerate(facilities)}
        self._lanes = lanes
        self.sort_s = [facility.sort_s for facility in facilities]
        self.lane_from = [position[lane.from_facility_id] for lane in lanes]
        self.lane_to = [position[lane.to_facility_id] for lane in lanes]
        self.lanes_out: list[list[int]] = [[] for _ in facilities]
        self.lanes_in: list[list[int]] = [[] for _ in facilities]
        for lane, (origin, destination) in enumerate(zip(self.lane_from, self.lane_to, strict=True)):
            self.lanes_out[origin].append(lane)
            self.lanes_in[destination].append(lane)
        self._hours = [
            facility.hours
            if facility.kind.sorts and facility.hours is not None and not facility.hours.never_closes
            else None
            for facility in facilities
        ]
        self.sorts_always = [hours is None for hours in self._hours]
        centres = [index for index, facility in enumerate(facilities) if facility.kind.sorts]
        self.centres = centres
        self.rank = [-1] * len(facilities)
        for rank, place in enumerate(centres):
            self.rank[place] = rank
        self._starts = [self.rank[place] for place in self.lane_from]
        self.ends = [self.rank[place] for place in self.lane_to]
        self.transfers_out = [
            [lane for lane in self.lanes_out[place] if self.ends[lane] >= 0] for place in centres
        ]
        self.transfer_lanes = frozenset(lane for out in self.transfers_out for lane in out)
        self._distribution: dict[int, dict[int, list[int]]] = {}
        self._closed_transfers: dict[frozenset[int], frozenset[int]] = {}
        self._blocks: dict[int, Block] = {}

    def block(self, ready: int) -> Block:
        """The block of the timetable that a moment falls in; seconds since 1970-01-01 UTC."""
        number = ready // HORIZON_S
        found = self._blocks.get(number)
        if found is None:
            # A day more on either side, for local dates.
            first_day = _EPOCH + timedelta(days=number * HORIZON_DAYS - 1)
            days = 2 * HORIZON_DAYS + 2
            dated = DatedLanes(self._lanes, first_day, days)
            sorting = Sorting(self.sort_s, self._hours, first_day, days)
            transfers = Transfers(self.transfers_out, self._starts, self.ends, self.centres, sorting, dated)
            found = Block(dated, sorting, transfers)
            if len(self._blocks) >= _BLOCKS_KEPT_MAX:
                self._blocks.clear()
            self._blocks[number] = found
        return found

    def closed_transfers(self, closed: frozenset[int]) -> frozenset[int]:
        """Those of closed lanes that lead between sorting centres; the same object for the same lanes."""
        if not closed:
            return closed
        found = self._closed_transfers.get(closed)
        if found is None:
            if len(self._closed_transfers) >= _CLOSURES_KEPT_MAX:
                self._closed_transfers.clear()
            found = self._closed_transfers[closed] = closed & self.transfer_lanes
        return found

    def handled(self, place: int, ready: int) -> int:
        """When a parcel that lies at a place has been handled there; seconds since 1970-01-01 UTC."""
        if self.sorts_always[place]:
            return ready + self.sort_s[place]
        return self.block(ready).sorting.done(place, ready)

    def wave(self, place: int, ready: int, handled: int) -> tuple[int, int] | None:
        """What tells which parcels at a place travel on together, if they go to the same destination.

        Args:
            place: position of the facility.
            ready: seconds since 1970-01-01 UTC when the parcel can first be handled there.
            handled: when it has been.

        Returns:
            The block of the timetable and the first departure on any lane; None when there is none in it.
        """
        block = self.block(ready)
        moments = block.departures.get(place)
        if moments is None:
            leaving = {moment for lane in self.lanes_out[place] for moment in block.dated.of(lane).departures}
            moments = block.departures[place] = sorted(leaving)
        position = bisect_left(moments, handled)
        return (ready // HORIZON_S, moments[position]) if position < len(moments) else None

    def distribution_of(self, destination: int) -> dict[int, list[int]]:
        """Positions of the lanes of the distribution to an outlet, by the position where they start."""
        found = self._distribution.get(destination)
        if found is None:
            found = {}
            seen: set[int] = set()
            waiting = [destination]
            while waiting:
                place = waiting.pop()
                if place in seen:
                    continue
                seen.add(place)
                for lane in self.lanes_in[place]:
                    source = self.lane_from[lane]
                    found.setdefault(source, []).append(lane)
                    if self.rank[source] < 0:
                        waiting.append(source)
            self._distribution[destination] = found
        return found
