"""Small random problems: places on a 3 x 3 grid, all times within a minute or two."""

import numpy as np
from hypothesis import strategies as st

from routing.pickup import Problem, Stop, StopKind, Table, Vehicle

PLACES = tuple((31.0 + row / 100, 121.0 + column / 100) for row in range(3) for column in range(3))
SKILLS = ("cold", "heavy", "lift")

places = st.sampled_from(PLACES)
skills = st.frozensets(st.sampled_from(SKILLS), max_size=2)
loads = st.sampled_from([0, 0, 1, 3, 7])


@st.composite
def windows(draw: st.DrawFn, latest: int) -> tuple[tuple[int, int], ...]:
    marks = draw(st.lists(st.integers(0, latest), max_size=4, unique=True).map(sorted))
    if len(marks) % 2:
        marks.append(marks[-1])  # a window of no length
    pairs = list(zip(marks[::2], marks[1::2], strict=True))
    return tuple(pairs)


@st.composite
def stops(draw: st.DrawFn, number: int, vehicle_ids: list[str], latest: int, *, hostile: bool) -> Stop:
    latitude, longitude = draw(places)
    listed, locked, needed = None, None, frozenset[str]()
    if draw(st.integers(0, 1 if hostile else 5)) == 0:
        listed = draw(st.none() | st.frozensets(st.sampled_from([*vehicle_ids, "elsewhere"])))
        locked = draw(st.sampled_from([None, *vehicle_ids]))
        needed = draw(skills)
    return Stop(
        stop_id=f"stop {number}",
        latitude=latitude,
        longitude=longitude,
        service_s=draw(st.integers(0, 5)),
        windows=draw(windows(latest)),
        weight_g=draw(loads),
        volume_cm3=draw(loads) if hostile else 0,
        pieces=draw(loads),
        priority=draw(st.sampled_from([0, 0, 10, 100])),
        skills=needed,
        kind=draw(st.sampled_from(StopKind)),
        allowed_vehicles=listed,
        locked_to=locked,
        district=draw(st.sampled_from([None, "east", "west"])),
    )


@st.composite
def vehicles(draw: st.DrawFn, number: int, latest: int, *, hostile: bool) -> Vehicle:
    begin = draw(st.integers(0, latest // 2)) if hostile else 0
    return Vehicle(
        vehicle_id=f"vehicle {number}",
        start=draw(places),
        end=draw(st.none() | places),
        shift=(begin, draw(st.integers(begin, latest))) if hostile else (0, latest),
        capacity_g=draw(st.sampled_from([0, 5, 10, 20] if hostile else [10, 20])),
        capacity_cm3=draw(st.sampled_from([5, 10, 20])),
        capacity_pieces=draw(st.sampled_from([10, 20])),
        skills=draw(st.just(frozenset(SKILLS)) | skills),
        speed_factor=draw(st.sampled_from([1.0, 1.0, 0.5, 2.0])),
        cost_fixed=draw(st.sampled_from([0, 50])),
        cost_per_hour=draw(st.sampled_from([0, 3600, 36_000])),
        cost_per_km=draw(st.sampled_from([0, 1000, 7000])),
        stops_max=draw(st.sampled_from([None, None, 0, 2] if hostile else [None, None, 3])),
        distance_m_max=draw(st.sampled_from([None, None, 0, 30] if hostile else [None, None, 50])),
        cost_per_stop=draw(st.sampled_from([0, 0, 3])),
        cost_per_driving_hour=draw(st.sampled_from([0, 0, 3600])),
        cost_per_service_hour=draw(st.sampled_from([0, 0, 7200])),
        territory=draw(st.sampled_from([frozenset(), frozenset({"east"}), frozenset({"east", "west"})])),
        cost_per_strange_stop=draw(st.sampled_from([0, 40])),
    )


@st.composite
def tables(draw: st.DrawFn, *, hostile: bool) -> Table:
    """Asymmetric, without the triangle inequality, some pairs without a way."""
    size = len(PLACES)
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    seconds = random.integers(0, 20 if hostile else 8, (size, size), dtype=np.int32)
    metres = random.integers(0, 20, (size, size), dtype=np.int32)
    seconds[
        random.random((size, size)) < draw(st.sampled_from([0.0, 0.2, 0.7] if hostile else [0.0, 0.1]))
    ] = -1
    return Table(PLACES, seconds, metres)


@st.composite
def problems(
    draw: st.DrawFn, stops_max: int = 8, vehicles_max: int = 3, latest: int = 120, *, hostile: bool = True
) -> Problem:
    """Hostile ones have little room for any stop; the others let most be served."""
    least = 0 if hostile else 1
    count = draw(st.integers(least, vehicles_max))
    fleet = [draw(vehicles(number, latest, hostile=hostile)) for number in range(count)]
    names = [vehicle.vehicle_id for vehicle in fleet]
    numbers = range(draw(st.integers(least, stops_max)))
    return Problem(
        stops=tuple(draw(stops(number, names, latest, hostile=hostile)) for number in numbers),
        vehicles=tuple(fleet),
        travel=draw(tables(hostile=hostile)),
        prize_per_priority_minor=draw(st.sampled_from([None, None, 0, 3])),
    )
