"""A network of hubs, gateways, outlets and points: many questions to one network, and to networkx."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from routing.network import (
    Departure,
    Facility,
    FacilityKind,
    InvalidNetworkError,
    Itinerary,
    Lane,
    Mode,
    Network,
    NoRoute,
    NoRouteReason,
    Operator,
    Query,
    WorkingHours,
    itineraries,
    itinerary,
)
from routing.network.hours import weekly
from tests.routing.network.time_expanded import TimeExpanded

FIRST = datetime(2026, 3, 27, tzinfo=UTC)  # Europe's clocks go forward on the 29th
DAYS = 8


def build(seed: int) -> Network:
    """Four hubs in a mesh, eight gateways on two hubs each, 24 outlets on a gateway, some on two; lockers.

    In every second one most of the sorting centres, and some outlets, have hours.
    """
    random = Random(seed)
    kinds = [FacilityKind.HUB] * 4 + [FacilityKind.GATEWAY] * 8
    kinds += [FacilityKind.OUTLET] * 24 + [FacilityKind.LOCKER] * 4
    facilities = [
        Facility(
            i,
            f"F{i}",
            "",
            kind,
            30.0 + i / 10,
            110.0,
            random.randrange(0, 7200, 60),
            Operator.OWN,
            some_hours(random) if seed % 2 and i < 20 else None,
        )
        for i, kind in enumerate(kinds, start=1)
    ]
    pairs = [(a, b) for a in range(1, 5) for b in range(1, 5) if a != b]
    for gateway in range(5, 13):
        for hub in random.sample(range(1, 5), 2):
            pairs += [(gateway, hub), (hub, gateway)]
    for outlet in range(13, 37):
        for gateway in random.sample(range(5, 13), random.choice([1, 1, 2])):
            pairs += [(outlet, gateway), (gateway, outlet)]
    for locker in range(37, 41):
        outlet = random.randrange(13, 37)
        pairs += [(outlet, locker), (locker, outlet)]
    return Network(
        tuple(facilities), tuple(some_lane(number, *p, random) for number, p in enumerate(pairs, 100))
    )


def some_hours(random: Random) -> WorkingHours | None:
    """Round the clock, or shifts of a week with nights, breaks and a closed day."""
    if random.random() < 0.3:
        return None
    days = [
        random.choice([[(0, 360), (1320, 1440)], [(480, 720), (780, 1200)], [(300, 1380)]]) for _ in range(7)
    ]
    days[random.randrange(7)] = []
    closed = frozenset([date(2026, 3, 28)] if random.random() < 0.3 else [])
    return WorkingHours(random.choice(["Asia/Shanghai", "Europe/Helsinki"]), weekly(days), closed)


def some_lane(number: int, start: int, end: int, random: Random) -> Lane:
    departures = tuple(
        Departure(
            weekdays=random.choice([127, 127, random.randint(1, 127)]),
            minute_of_day=random.randrange(1440),
            duration_s=random.randint(600, 9 * 3600),
            timezone=random.choice(["Asia/Shanghai", "Europe/Helsinki"]),
            except_dates=frozenset([date(2026, 3, 28)] if random.random() < 0.3 else []),
        )
        for _ in range(random.choice([1, 2, 2]))
    )
    capacity_g = random.choice([None, 5_000, 20_000])
    return Lane(number, start, end, Mode.ROAD, 1000, 100, 10, capacity_g, "test", departures)


def questions(network: Network, count: int, seed: int) -> list[Query]:
    """Parcels of any weight between any two places, ready within a day and a half."""
    random = Random(seed)
    ids = [facility.facility_id for facility in network.facilities]
    return [
        Query(
            *random.choices(ids, k=2),
            ready_at=FIRST + timedelta(seconds=random.randrange(36 * 3600)),
            weight_g=random.choice([500, 500, 10_000, 50_000]),
        )
        for _ in range(count)
    ]


def ask(network: Network, query: Query, **closed: frozenset[int]) -> Itinerary | NoRouteReason:
    try:
        return itinerary(
            network, query.origin_id, query.destination_id, query.ready_at, weight_g=query.weight_g, **closed
        )
    except NoRoute as error:
        return error.reason


@pytest.mark.parametrize("seed", range(4))
def test_random_questions_are_answered_as_by_the_time_expanded_graph(seed: int) -> None:
    network = build(seed)
    random = Random(seed)
    closed = frozenset(random.sample([lane.lane_id for lane in network.lanes], 3))
    carried = Network(network.facilities, tuple(replace(lane, capacity_g=None) for lane in network.lanes))
    oracle = TimeExpanded(carried, FIRST.date() - timedelta(days=1), DAYS, closed)
    last = FIRST + timedelta(days=DAYS - 3)
    compared = 0
    for query in questions(carried, 100, seed):
        if query.origin_id == query.destination_id:
            continue
        expected = oracle.arrival(query.origin_id, query.destination_id, int(query.ready_at.timestamp()))
        found = ask(carried, query, closed_lanes=closed)
        if isinstance(found, Itinerary) and found.arrival_at < last:
            assert found.arrival_at.timestamp() == expected
            compared += 1
        elif expected is not None:
            assert isinstance(found, Itinerary)
            assert found.arrival_at.timestamp() == expected
    assert compared > 40


@pytest.mark.parametrize("seed", range(3))
def test_what_was_asked_before_changes_no_answer(seed: int) -> None:
    """One network is asked everything, with and without closures; a new one is made for each question."""
    network, random = build(seed), Random(seed)
    for query in questions(network, 60, seed):
        closed = {
            "closed_facilities": frozenset(random.sample(range(1, 13), random.choice([0, 0, 1, 2]))),
            "closed_lanes": frozenset(random.sample(range(100, 130), random.choice([0, 1]))),
        }
        fresh = Network(network.facilities, network.lanes)
        assert ask(network, query, **closed) == ask(fresh, query, **closed)


@pytest.mark.parametrize("seed", range(3))
def test_many_at_once_are_the_same_as_one_by_one(seed: int) -> None:
    network = build(seed)
    asked = questions(network, 200, seed)
    # The same parcels again, minutes and weeks later, so that some wait for the same departure.
    asked += [replace(q, ready_at=q.ready_at + timedelta(minutes=5)) for q in asked]
    asked += [replace(q, ready_at=q.ready_at + timedelta(days=35)) for q in asked[:50]]
    hub = frozenset({2})
    for closed in (frozenset[int](), hub):
        answers = itineraries(network, asked, closed_facilities=closed)
        for query, answer in zip(asked, answers, strict=True):
            alone = ask(network, query, closed_facilities=closed)
            assert (answer.reason if isinstance(answer, NoRoute) else answer) == alone
    assert any(isinstance(answer, NoRoute) for answer in itineraries(network, asked))


def test_many_at_once_refuse_what_one_refuses() -> None:
    network = build(0)
    naive = Query(13, 14, datetime(2026, 3, 27), 1)  # noqa: DTZ001 - naive on purpose
    with pytest.raises(InvalidNetworkError, match="offset"):
        itineraries(network, [naive])
    with pytest.raises(InvalidNetworkError, match="weight_g"):
        itineraries(network, [Query(13, 14, FIRST, -1)])
    assert itineraries(network, []) == []


def test_a_parcel_may_be_in_time_for_a_departure_that_was_too_far_away_for_an_earlier_one() -> None:
    """Both wait for the same departure, which arrives within the fortnight of the later one only."""
    place = [Facility(i, f"F{i}", "", FacilityKind.OUTLET, 30.0, 110.0, 0, "own") for i in (1, 2)]
    slow = Departure(1, 12 * 60, 10 * 86_400, "UTC")
    network = Network(tuple(place), (Lane(9, 1, 2, Mode.ROAD, 1, 1, 1, None, "x", (slow,)),))
    tuesday = datetime(2026, 3, 24, tzinfo=UTC)
    early, late = itineraries(network, [Query(1, 2, tuesday, 1), Query(1, 2, tuesday + timedelta(days=4), 1)])
    assert isinstance(early, NoRoute)
    assert early.reason is NoRouteReason.NO_DEPARTURE
    assert isinstance(late, Itinerary)
    backwards = itineraries(network, [Query(1, 2, tuesday + timedelta(days=4), 1), Query(1, 2, tuesday, 1)])
    assert isinstance(backwards[1], NoRoute)
