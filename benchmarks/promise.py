"""How good promises are on real line-hauls, out of time, and how fast one is made.

The legs are Delhivery's, India, September and October 2018, with planned (OSRM) and actual minutes; folder
`linehaul/delhivery` of `WHEELHOUSE_DATA`. Their licence is unclear: they are measured on here and are no
part of the product.

Out of time. Everything that ended before `CUT` may be learned from, nothing else: the legs of the file of
legs that had arrived by then, the complete legs of the sample's training period, and the file of medians by
corridor, which sums up the 18,948 legs before the file of legs begins (its corridors are exactly those the
file of legs calls seen). Every leg that departs from `CUT` on is tested, all with what was learned before.
What the engine may choose by hand (`tracking.promise.levels`) was chosen on days before `CUT`.

References, each with the same right to learn:

* planned time x one factor: for each quantile the factor that had the least loss before `CUT`;
* per-corridor median: the corridor's median of actual over planned (of all corridors where it is new),
  times the factor for each quantile that had the least loss before `CUT`, each leg held against medians
  without itself;
* the columns of the file's own author, who learned from all 18,948 legs one by one, as they stand in the
file.
"""

from __future__ import annotations

import csv
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
from _measure import Contender, print_table
from numpy.typing import NDArray

from tracking.lateness import SCENARIOS
from tracking.position import Position
from tracking.promise import LegHistory, LegObservation, StayObservation, promise
from tracking.shipment import Leg

Minutes = NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("WHEELHOUSE_DATA", ROOT / "../shared/data")) / "linehaul/delhivery"
CUT = datetime(2018, 10, 1, tzinfo=UTC)  # local clocks, taken as UTC: only hours and weekdays matter
SHARES = (0.1, 0.5, 0.8, 0.9, 0.95)
PROMISED = (0.5, 0.8, 0.95)
AUTHOR = {0.5: "q50", 0.8: "q80", 0.9: "q90"}
AUTHOR_POINTS = ("M0_osrm", "M1_lookup", "M2_tabular", "M3_graph", "M3_leaky")


@dataclass(frozen=True, slots=True)
class Past:
    """A leg, or the medians of `count` legs of a corridor (then without a departure)."""

    trip: str
    mode: str
    origin: str
    destination: str
    departed_at: datetime | None
    planned_min: float
    actual_min: float
    count: int = 1
    author: tuple[tuple[str, float], ...] = ()

    @property
    def corridor(self) -> tuple[str, str]:
        return self.origin, self.destination

    @property
    def ratio(self) -> float:
        return self.actual_min / self.planned_min

    def ended_before(self, moment: datetime) -> bool:
        assert self.departed_at is not None
        return self.departed_at + timedelta(minutes=self.actual_min) < moment


def rows_of(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read() -> tuple[list[Past], list[Past], list[Past]]:
    """Legs one by one, complete legs of the sample's training period, medians by corridor."""
    listed, seen = rows_of("test_legs_with_predictions.csv"), set()
    legs = []
    for row in listed:
        columns = tuple((name, float(row[name])) for name in (*AUTHOR.values(), *AUTHOR_POINTS))
        legs.append(leg_of(row, columns))
        if row["seen_corridor"] == "True":
            seen.add(legs[-1].corridor)
    sample = [
        leg_of(row)
        for row in rows_of("delivery_sample_5k.csv")
        if row["data"] == "training" and row["is_cutoff"] == "False"
    ]
    medians = [
        Past(
            "",
            row["major_route_type"],
            row["source_center"],
            row["destination_center"],
            None,
            float(row["median_osrm_min"]),
            float(row["median_osrm_min"]) * float(row["median_ratio"]),
            int(row["n_legs"]),
        )
        for row in rows_of("corridor_agg.csv")
    ]
    corridors = {leg.corridor for leg in legs}
    assert corridors & {median.corridor for median in medians} == seen, "the medians know legs to be tested"
    return legs, sample, medians


def leg_of(row: dict[str, str], author: tuple[tuple[str, float], ...] = ()) -> Past:
    return Past(
        row["trip_uuid"],
        row["route_type"],
        row["source_center"],
        row["destination_center"],
        datetime.fromisoformat(row["od_start_time"]).replace(tzinfo=UTC),
        float(row["osrm_time"]),
        float(row["actual_time"]),
        author=author,
    )


class Numbers:
    """Gives places and corridors the numbers that the engine knows them by."""

    def __init__(self) -> None:
        self._known: dict[object, int] = {}

    def __call__(self, thing: object) -> int:
        return self._known.setdefault(thing, len(self._known) + 1)


def observation(leg: Past, number: Numbers) -> LegObservation:
    return LegObservation(
        lane_id=number(leg.corridor),
        mode=leg.mode,
        planned_s=round(leg.planned_min * 60),
        actual_s=round(leg.actual_min * 60),
        from_facility_id=number(leg.origin),
        to_facility_id=number(leg.destination),
        departs_at=leg.departed_at,
        count=leg.count,
    )


def by_engine(past: Sequence[Past], tested: Sequence[Past]) -> Minutes:
    """Minutes of each leg (rows) at each of `SHARES`, told at its departure; by `promise` where it can."""
    number = Numbers()
    history = LegHistory.of([observation(leg, number) for leg in past])
    told = []
    for leg in tested:
        at = leg.departed_at
        assert at is not None
        origin, destination = number(leg.origin), number(leg.destination)
        planned_at = at + timedelta(minutes=leg.planned_min)
        planned = Leg(1, origin, destination, leg.mode, number(leg.corridor), at, planned_at)
        row = dict(zip(SHARES, history.leg_quantiles_s(planned, SHARES), strict=True))
        under_way = Position(origin, at, departed=True)
        said = promise((planned,), handover_s=0, history=history, now=at, current=under_way)
        for share, moment in zip(PROMISED, (said.p50_at, said.p80_at, said.p95_at), strict=True):
            row[share] = (moment - at).total_seconds()
        told.append([row[share] / 60 for share in SHARES])
    return np.array(told)


def by_factor(planned: Minutes, actual: Minutes, tested: Minutes) -> Minutes:
    """Planned minutes times the factor for each share that loses least: a quantile weighted by the plan."""
    ratios = actual / planned
    order = ratios.argsort()
    reached = np.cumsum(planned[order]) / planned.sum()
    factors = ratios[order][[int(reached.searchsorted(share)) for share in SHARES]]
    return np.outer(tested, factors)


def by_corridor(past: Sequence[Past], tested: Sequence[Past]) -> Minutes:
    """Per-corridor medians with the residual factors of legs that were not in their own median."""
    of_corridor: defaultdict[tuple[str, str], list[Past]] = defaultdict(list)
    for leg in past:
        of_corridor[leg.corridor].append(leg)
    of_all = weighted_median(past)

    def usual(leg: Past) -> float:
        others = [other for other in of_corridor.get(leg.corridor, ()) if other is not leg]
        return leg.planned_min * (weighted_median(others) if others else of_all)

    single = [leg for leg in past if leg.count == 1]
    return by_factor(
        np.array([usual(leg) for leg in single]),
        np.array([leg.actual_min for leg in single]),
        np.array([usual(leg) for leg in tested]),
    )


def weighted_median(legs: Sequence[Past]) -> float:
    ordered = sorted(legs, key=lambda leg: leg.ratio)
    reached = np.cumsum([leg.count for leg in ordered])
    return ordered[int(reached.searchsorted(reached[-1] / 2))].ratio


def by_days(past: Sequence[Past], legs: Sequence[Past], tested: Sequence[Past]) -> Minutes:
    """The engine, learning again each midnight from what ended by then."""
    told = np.empty((len(tested), len(SHARES)))
    days = np.array([leg.departed_at.toordinal() for leg in tested if leg.departed_at is not None])
    for day in sorted(set(days.tolist())):
        midnight = datetime.fromordinal(day).replace(tzinfo=UTC)
        ended = [leg for leg in legs if leg.ended_before(midnight) and not leg.ended_before(CUT)]
        of_day = np.flatnonzero(days == day)
        told[of_day] = by_engine([*past, *ended], [tested[place] for place in of_day])
    return told


def losses(actual: Minutes, told: Minutes, share: float) -> Minutes:
    """Pinball loss of each leg, in minutes."""
    over = actual - told
    lost: Minutes = np.maximum(share * over, (share - 1) * over)
    return lost


def print_quality() -> None:
    legs, sample, medians = read()
    single = [leg for leg in (*sample, *legs) if leg.ended_before(CUT)]
    tested = [leg for leg in legs if leg.departed_at is not None and leg.departed_at >= CUT]
    past = [*medians, *single]
    actual = np.array([leg.actual_min for leg in tested])
    planned = np.array([leg.planned_min for leg in tested])
    told = {
        "planned time x one factor": by_factor(
            np.array([leg.planned_min for leg in single]),
            np.array([leg.actual_min for leg in single]),
            planned,
        ),
        "per-corridor median": by_corridor(past, tested),
        "tracking.promise": by_engine(past, tested),
        "  legs one by one only": by_engine(single, tested),
        "  learned again each midnight": by_days(past, legs, tested),
    }
    trips = len({leg.trip for leg in tested})
    print(
        f"Promises on real legs: learned from {len(single):,} legs and the medians of "
        f"{sum(median.count for median in medians):,} more, ended before {CUT:%Y-%m-%d};\n"
        f"tested on {len(tested):,} legs of {trips:,} trips after. Pinball loss in minutes; "
        "0.5 0.8 0.95 is the mean of the three."
    )
    heads = (*(f"{share:g}" for share in SHARES), "0.5 0.8 0.95", "in 10..90 %")
    print(f"{'':32}" + "".join(f"{head:>13}" for head in heads))
    mean: dict[str, float] = {}
    for name, minutes in told.items():
        lost = {share: losses(actual, minutes[:, at], share).mean() for at, share in enumerate(SHARES)}
        mean[name] = float(np.mean([lost[share] for share in PROMISED]))
        covered = np.mean((actual >= minutes[:, 0]) & (actual <= minutes[:, 3]))
        figures = "".join(f"{lost[share]:13.3f}" for share in SHARES)
        print(f"{name:32}{figures}{mean[name]:13.3f}{covered:12.1%}")
    author = {share: np.array([dict(leg.author)[name] for leg in tested]) for share, name in AUTHOR.items()}
    of_author = {share: float(losses(actual, author[share], share).mean()) for share in author}
    figures = "".join(f"{of_author[share]:13.3f}" if share in of_author else f"{'':13}" for share in SHARES)
    print(f"{'author: q50, q80, q90':32}{figures}")
    for name in AUTHOR_POINTS:
        point = np.array([dict(leg.author)[name] for leg in tested])
        remark = "  knows what only the journey shows" if name == "M3_leaky" else ""
        print(f"{'author: ' + name:32}{'':13}{losses(actual, point, 0.5).mean():13.3f}{remark}")
    own = told["tracking.promise"]
    reached = ", ".join(f"{share:g}: {np.mean(actual <= own[:, at]):.3f}" for at, share in enumerate(SHARES))
    print(f"share of legs that took no longer than told, at {reached}")
    print_limits(tested, actual, told, author)


def print_limits(
    tested: Sequence[Past], actual: Minutes, told: dict[str, Minutes], author: dict[float, Minutes]
) -> None:
    """What must hold, with an interval from drawing the tested trips again and again."""
    own = told["tracking.promise"]
    place = {share: at for at, share in enumerate(SHARES)}

    def summed(minutes: Minutes) -> Minutes:
        return sum(
            (losses(actual, minutes[:, place[share]], share) for share in PROMISED), np.zeros(len(actual))
        )

    pairs = [
        ("of planned time x one factor", summed(own), summed(told["planned time x one factor"]), 0.75),
        ("of per-corridor median", summed(own), summed(told["per-corridor median"]), 0.95),
    ]
    pairs += [
        (
            f"of the author's {AUTHOR[share]}",
            losses(actual, own[:, place[share]], share),
            losses(actual, said, share),
            1.0,
        )
        for share, said in author.items()
    ]
    trips = np.unique([leg.trip for leg in tested], return_inverse=True)[1]
    rng = np.random.default_rng(1)
    draws = rng.multinomial(trips.max() + 1, np.full(trips.max() + 1, 1 / (trips.max() + 1)), size=1000)
    for name, mine, theirs, limit in pairs:
        ratio = mine.sum() / theirs.sum()
        again = (draws @ np.bincount(trips, mine)) / (draws @ np.bincount(trips, theirs))
        low, high = np.quantile(again, (0.025, 0.975))
        verdict = "held" if ratio <= limit else "MISSED"
        print(f"loss {name:30} {ratio:6.3f}  ({low:.3f} to {high:.3f})  limit {limit:.2f}  {verdict}")
    covered = float(np.mean((actual >= own[:, 0]) & (actual <= own[:, 3])))
    verdict = "held" if 0.76 <= covered <= 0.84 else "MISSED"
    print(f"80 % interval covers {covered:18.1%}{'':27}limit 76 to 84 %  {verdict}")


def speed_contenders() -> list[Contender]:
    """Promises over five legs, from their first facility; each call for another parcel of a busy network."""
    dice, start = Random(5), datetime(2026, 3, 2, tzinfo=UTC)
    lanes = range(1, 201)
    history = LegHistory.of(
        [
            LegObservation(
                lane, "road", 18_000, round(18_000 * dice.lognormvariate(0.1, 0.2)), lane, lane + 1
            )
            for lane in lanes
            for _ in range(30)
        ],
        [StayObservation(place, dice.randrange(900), start) for place in lanes for _ in range(30)],
        [StayObservation(place, dice.randrange(3600), start) for place in lanes for _ in range(30)],
    )

    def route(first: int) -> tuple[Leg, ...]:
        hours = [start + timedelta(hours=7 * step) for step in range(5)]
        return tuple(
            Leg(step, first + step, first + step + 1, "road", first + step, at, at + timedelta(hours=5))
            for step, at in enumerate(hours)
        )

    routes = [route(first) for first in range(1, 196)]

    def promised(departed: bool) -> Callable[[], int]:
        def ask() -> int:
            for legs in routes:
                at = Position(legs[0].from_facility_id, start, departed)
                promise(legs, handover_s=7200, history=history, now=start, current=at)
            return len(routes)

        return ask

    rng = np.random.default_rng(2)
    arrays = [rng.random(SCENARIOS) for _ in range(11)]
    pools = [rng.random(400) for _ in range(11)]

    def add_and_sort() -> int:
        for _ in routes:
            total = arrays[0].copy()
            for array in arrays[1:]:
                total += array
            total.sort()
        return len(routes)

    def draw() -> int:
        for _ in routes:
            total = rng.choice(pools[0], 5000)
            for pool in pools[1:]:
                total += rng.choice(pool, 5000)
            np.quantile(total, PROMISED)
        return len(routes)

    return [
        Contender("limit: add 11 arrays, sort", add_and_sort),
        Contender(
            "peer: 5,000 random draws", draw, "as exact: both miss a probability by about 0.01 or less"
        ),
        Contender("promise, 5 legs, before them", promised(departed=False)),
        Contender("promise, 5 legs, on the first", promised(departed=True)),
    ]


def main() -> None:
    if FOLDER.is_dir():
        print_quality()
    else:
        print(f"no line-haul legs at {FOLDER}; set WHEELHOUSE_DATA", file=sys.stderr)
    print()
    print_table("Making a promise", "promises", speed_contenders())


if __name__ == "__main__":
    main()
