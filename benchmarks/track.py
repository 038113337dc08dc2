"""How fast the public track document and page are read over HTTP: many connections, random numbers.

The service, PostgreSQL and the load share the machine. In the same run, on the same server with the same
workers and threads, stand the limit and the peer: a bare WSGI callable that runs one prepared statement on a
connection of its own and returns its text, and a plain Flask view that runs that statement and renders a page
of the same size. They are asked in turns with the service, a slice of time each, by the same load.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

import _measure  # noqa: F401 - puts the project on the path
import flask
from _load import Outcome, get, load
from _stored_scans import let_travel, parcels_for

from app import i18n
from app.shipments.document_sql import statement
from app.shipments.documents import SETTINGS
from tests.support.multitude import World, company, served

CONNECTIONS = 32
TURNS = 9
NEEDED, P99_MAX = 0.8, 4.0
"""The least of the rate it is held to that each has to reach, and how many times its p50 its p99 may be."""

STORED, STORED_AT_LEAST = 600_000, 12_000


@dataclass(slots=True)
class Contender:
    """A path of a server, and what the load saw of it, turn by turn."""

    name: str
    port: int
    path: str
    against: str = ""
    seen: list[Outcome] = field(default_factory=list)

    @property
    def usual(self) -> Outcome:
        """The turn in the middle."""
        return sorted(self.seen, key=lambda one: one.rate)[len(self.seen) // 2]

    def ratio(self, other: Contender) -> float:
        """Its rate to another's, turn by turn: what else the machine did then slowed both."""
        return statistics.median(
            mine.rate / theirs.rate for mine, theirs in zip(self.seen, other.seen, strict=True)
        )


@contextmanager
def contenders(world: World) -> Iterator[list[Contender]]:
    """The service, and what it is held to, each on a server of its own of the same kind."""
    options = {
        "TRACK_OPTIONS": " ".join(f"-c {name}={value}" for name, value in SETTINGS.items()),
        "TRACK_STATEMENT": own_statement(),
    }
    with served(world.url) as (service, _pid):
        page_bytes = load(service, asking(world, "/track/{}"), connections=1, seconds=0).body_bytes
        same = {**options, "TRACK_PAGE_BYTES": str(page_bytes)}
        with (
            served(world.url, application="_track_peers:bare", more=same) as (bare, _pid),
            served(world.url, application="_track_peers:lean") as (lean, _pid),
            served(world.url, application="_track_peers:view", more=same) as (view, _pid),
        ):
            yield [
                Contender("limit: bare WSGI, this statement", bare, "/{}"),
                Contender("limit: bare WSGI, least statement", lean, "/{}"),
                Contender("the document", service, "/api/v1/track/{}", "limit: bare WSGI, this statement"),
                Contender("peer: plain Flask view", view, "/track/{}"),
                Contender("the page", service, "/track/{}", "peer: plain Flask view"),
            ]


def own_statement() -> str:
    """The service's own statement."""
    app = flask.Flask("words")
    i18n.init_app(app)
    with app.app_context():
        return statement(i18n.ENGLISH)


def asking(world: World, path: str) -> Callable[[], bytes]:
    """Makes requests for random parcels of the world."""
    choose, numbers = Random(7).choice, world.numbers
    return lambda: get(path.format(choose(numbers)))


def measured(world: World, seconds: float) -> list[Contender]:
    """Ask all of them in turns."""
    with contenders(world) as found:
        for one in found:
            load(one.port, asking(world, one.path), connections=CONNECTIONS, seconds=min(1.0, seconds))
        for _turn in range(TURNS):
            for one in found:
                request = asking(world, one.path)
                one.seen.append(load(one.port, request, connections=CONNECTIONS, seconds=seconds / TURNS))
    return found


def table(stored: int, found: Sequence[Contender]) -> None:
    """Print what was seen."""
    print(
        f"Track document and page, {CONNECTIONS} connections, random of {stored:,} stored scans  "
        f"({os.cpu_count()} cores shared with PostgreSQL and the load)"
    )
    head = f"{'':36}  {'answers/s':>10}  {'ratio':>6}  {'needed':>6}"
    print(f"{head}  {'p50 ms':>7}  {'p99 ms':>7}  {'p99/p50':>7}")
    named = {one.name: one for one in found}
    for one in found:
        usual = one.usual
        ratio = f"{one.ratio(named[one.against]):6.2f}  {NEEDED:6.2f}" if one.against else f"{'':14}"
        line = f"{one.name:36}  {usual.rate:10,.0f}  {ratio}  {usual.p50_ms:7.2f}  {usual.p99_ms:7.2f}"
        print(f"{line}  {usual.p99_ms / usual.p50_ms:7.2f}  {usual.body_bytes:,} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each contender (default 10)")
    parser.add_argument(
        "--stored",
        type=int,
        action="append",
        help=f"scans in the table; can be repeated (default {STORED:,})",
    )
    arguments = parser.parse_args()
    sizes = arguments.stored or [STORED if arguments.seconds >= 1 else STORED_AT_LEAST]
    rates: dict[int, dict[str, float]] = {}
    for size in sizes:
        with company(parcels_for(size)) as world:
            stored = let_travel(world)
            found = measured(world, arguments.seconds)
        table(stored, found)
        rates[stored] = {one.name: one.usual.rate for one in found if one.against}
    if len(rates) > 1:
        first, last = min(rates), max(rates)
        for name, rate in rates[last].items():
            kept = rate / rates[first][name]
            print(f"{name}: at {last:,} scans {kept:.2f} of the rate at {first:,} (needed 0.80)")


if __name__ == "__main__":
    main()
