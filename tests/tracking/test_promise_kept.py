"""Promises over a whole life, learned from some parcels of a simulated courier and held against others."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from routing.network import FacilityKind, Handover, usual_hours
from routing.network.cutoff import handed_over_at
from tests.tracking.build import at
from tracking.position import Position
from tracking.promise import LastMile, LegHistory, LegObservation, StayObservation, promise, silence
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


# What a parcel waits for, when that happens to it, and where it is until then.
WAITS = {
    "to be collected": (lambda life: Position(1, life.ready_at), lambda life: life.came_at),
    "for its first vehicle": (lambda life: Position(1, life.came_at), lambda life: life.departed[0]),
    "on its first leg": (
        lambda life: Position(1, life.departed[0], departed=True),
        lambda life: life.arrived[0],
    ),
    "on its last leg": (
        lambda life: Position(3, life.departed[2], departed=True),
        lambda life: life.arrived[2],
    ),
    "at its last outlet": (lambda life: Position(4, life.arrived[2]), lambda life: life.done_at),
}


@pytest.mark.parametrize("waits", WAITS)
def test_promises_of_silent_parcels_are_kept_as_often_as_they_say(
    waits: str, history: LegHistory, others: list[Life]
) -> None:
    """As the watch renews them: of those still silent when their estimate ages, and ages once more."""
    placed, happens = WAITS[waits]
    awaited = waits == "to be collected"
    kept = {0: [0, 0, 0, 0], 1: [0, 0, 0, 0]}
    total = {0: 0, 1: 0}
    for life in others:
        where = placed(life)
        facts = {"handover_s": ROUNDS, "history": history, "current": where, "awaited": awaited}
        looked_at = silence(life.legs, now=where.at - timedelta(hours=1), **facts).ages_at
        for time in (0, 1):
            if happens(life) <= looked_at:
                break
            told = promise(life.legs, now=looked_at, **facts)
            so_far = silence(life.legs, now=looked_at, **facts)
            assert so_far.aged
            total[time] += 1
            moments = (told.p50_at, told.p80_at, told.p95_at)
            for place, moment in enumerate(moments):
                kept[time][place] += life.done_at <= moment
            kept[time][3] += happens(life) <= so_far.ages_at
            looked_at = so_far.ages_at
    # Four of five are heard of before their estimate ages: some 400 of 2,000 are looked at, some 80 again.
    assert total[0] / len(others) == pytest.approx(0.2, abs=0.04)
    assert total[1] / total[0] == pytest.approx(0.2, abs=0.08)
    shares = [count / total[0] for count in kept[0]]
    assert shares == pytest.approx([0.5, 0.8, 0.95, 0.8], abs=0.08)
    # What is silent still is the last hundredths of what was observed.
    assert [count / total[1] for count in kept[1]] == pytest.approx([0.5, 0.8, 0.95, 0.8], abs=0.2)


def test_what_missed_its_vehicle_ages_all_the_same(history: LegHistory, others: list[Life]) -> None:
    """A parcel that came after its vehicle left has an estimate that ages all the same."""
    life = others[0]
    missed = Position(2, life.legs[1].planned_departure_at + timedelta(hours=2))
    facts = {"handover_s": ROUNDS, "history": history, "current": missed}
    first = silence(life.legs, now=missed.at, **facts)
    assert not first.aged
    assert first.ages_at > missed.at
    later = silence(life.legs, now=first.ages_at, **facts)
    assert later.aged
    assert later.ages_at >= first.ages_at + timedelta(minutes=15)
