"""Promises over a whole life, learned from some parcels of a simulated courier and held against others."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from routing.network import FacilityKind, Handover, usual_hours
from routing.network.cutoff import handed_over_at
from tests.tracking.build import at
from tracking.position import Position
from tracking.promise import LastMile, LegHistory, LegObservation, StayObservation, promise
from tracking.shipment import Leg

DAY = 24 * 60
# Minutes of a parcel's first day: ready at 1; legs that depart, arrive, and vary (middle, spread of the log).
READY = 90
WAY = ((120, 420, 0.05, 0.10), (480, 1200, 0.15, 0.06), (1260, 1560, -0.02, 0.15))
ROUNDS = LastMile(Handover.DOOR, usual_hours(FacilityKind.OUTLET, "Asia/Shanghai"))


@dataclass(frozen=True)
class Life:
    """What happened to a parcel, and what was planned."""

    legs: tuple[Leg, ...]
    ready_at: datetime
    came_at: datetime
    departed: tuple[datetime, ...]
    arrived: tuple[datetime, ...]
    done_at: datetime


def live(day: int, dice: random.Random) -> Life:
    """One parcel's life: what is late eats the wait, and what misses its round takes the next."""
    legs, departed, arrived = [], [], []
    ready = at(day * DAY + READY)
    came = here = ready + timedelta(minutes=dice.gammavariate(1, 25) - 10)
    for place, (departs, arrives, middle, spread) in enumerate(WAY, start=1):
        leg = Leg(place, place, place + 1, "road", place, at(day * DAY + departs), at(day * DAY + arrives))
        left = max(leg.planned_departure_at, here) + timedelta(minutes=dice.gammavariate(1, 10))
        here = left + timedelta(seconds=leg.planned_s * dice.lognormvariate(middle, spread))
        legs.append(leg)
        departed.append(left)
        arrived.append(here)
    rounds = handed_over_at(here, Handover.DOOR, ROUNDS.outlet)
    done = rounds + timedelta(minutes=dice.gauss(-40, 30))
    return Life(tuple(legs), ready, came, tuple(departed), tuple(arrived), done)


def learned(lives: list[Life]) -> LegHistory:
    """As a courier learns from its scans."""

    def seconds(later: datetime, earlier: datetime) -> int:
        return round((later - earlier).total_seconds())

    legs, dwells = [], []
    for life in lives:
        here = life.came_at
        for leg, left, came in zip(life.legs, life.departed, life.arrived, strict=True):
            plan = leg.planned_departure_at
            ends = leg.from_facility_id, leg.to_facility_id
            legs.append(LegObservation(leg.lane_id, "road", leg.planned_s, seconds(came, left), *ends, plan))
            dwells.append(StayObservation(leg.from_facility_id, seconds(left, max(plan, here)), plan))
            here = came
    return LegHistory.of(
        legs,
        dwells,
        [
            StayObservation(4, seconds(life.done_at, here) - ROUNDS.planned_s(here), here)
            for life in lives
            for here in life.arrived[-1:]
        ],
        [StayObservation(1, seconds(life.came_at, life.ready_at), life.ready_at) for life in lives],
        offset_minutes=480,
    )


@pytest.fixture(scope="module")
def history() -> LegHistory:
    dice = random.Random(1)
    return learned([live(day, dice) for day in range(3000)])


@pytest.fixture(scope="module")
def others() -> list[Life]:
    dice = random.Random(2)
    return [live(day, dice) for day in range(4000, 6000)]


@pytest.mark.parametrize(
    "stage", ["booked", "accepted", "first leg", "second hub", "last leg", "last outlet"]
)
def test_promises_are_kept_as_often_as_they_say(stage: str, history: LegHistory, others: list[Life]) -> None:
    kept = [0, 0, 0]
    for life in others:
        where = {
            "booked": Position(1, life.ready_at),
            "accepted": Position(1, life.came_at),
            "first leg": Position(1, life.departed[0], departed=True),
            "second hub": Position(2, life.arrived[0]),
            "last leg": Position(3, life.departed[2], departed=True),
            "last outlet": Position(4, life.arrived[2]),
        }[stage]
        booked = stage == "booked"
        now = life.ready_at - timedelta(hours=1) if booked else where.at
        told = promise(life.legs, handover_s=ROUNDS, history=history, now=now, current=where, awaited=booked)
        for place, moment in enumerate((told.p50_at, told.p80_at, told.p95_at)):
            kept[place] += life.done_at <= moment
    assert [count / len(others) for count in kept] == pytest.approx([0.5, 0.8, 0.95], abs=0.04)
