"""A bag of 5,000 pieces: packed, moved by one scan of its outside, compared with what the dock scans.

Each is what the service does in one transaction on a durable PostgreSQL, with everything on: numbers read,
rows and packing events kept in step, states folded, outbox. The limit is what PostgreSQL needs to insert the
same rows bare; the peer does the same move piece by piece, a transaction each, as a hand scanner without a
container would.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import _measure  # noqa: F401 - puts the project on the path
import psycopg
import sqlalchemy as sa

from app.accounts.models import User
from app.accounts.roles import SCOPES, Role
from app.actor import Actor
from app.containers import queries, service
from app.containers.service import ContainerInput, Deed
from app.db.session import Database
from app.shipments.service import ScanInput, record_scans
from tests.support.multitude import World, company
from tracking.containers import ContainerKind

PIECES = 5_000
PEER_SHARE = 25  # the peer moves one piece of so many; its time is told for all
COMPARE_S_MAX = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the table."""

    name: str
    seconds: float
    remark: str = ""


class Bench:
    """Does the moves in transactions of their own; each move another second on the clock."""

    def __init__(self, world: World, database: Database) -> None:
        self.world, self.database = world, database
        self._count = 0
        with database.unit_of_work(world.tenant_id) as session:
            user = session.scalars(sa.select(User).where(User.role == Role.DISPATCHER)).first()
            assert user is not None, "the demo has one"
            self.actor = Actor(user.id, world.tenant_id, user.name, user.role, SCOPES[Role.DISPATCHER], None)

    def deed(self) -> Deed:
        """The next one, here."""
        self._count += 1
        return Deed("bench", f"e{self._count}", datetime.now(UTC), facility_id=self.world.facility_ids[0])

    def act(self, what: Callable[..., object], number: str | None, *given: object) -> object:
        """One act in a transaction; without a number it is the opening."""
        with self.database.unit_of_work(self.world.tenant_id) as session:
            now = datetime.now(UTC)
            if number is None:
                return service.open_container(
                    session, self.actor, ContainerInput(ContainerKind.BAG), self.deed(), now=now
                ).number
            found = queries.load_container(session, self.actor, number)
            return what(session, self.actor, found, *given, self.deed(), now=now)

    def scan(self, number: str, code: str) -> None:
        """A scan by a gun."""
        self._count += 1
        scan = ScanInput(
            number, code, datetime.now(UTC), "gun", f"s{self._count}", facility_id=self.world.facility_ids[1]
        )
        with self.database.unit_of_work(self.world.tenant_id) as session:
            (result,) = record_scans(session, self.actor, [scan], now=datetime.now(UTC))
        if result.status != "recorded":
            raise SystemExit(f"{number}: {result.status}")

    def compare(self, number: str, seen: list[str]) -> tuple[int, int]:
        """The dock's whole comparison: everything scanned at once, missing and surplus named."""
        with self.database.unit_of_work(self.world.tenant_id) as session:
            found = queries.load_container(session, self.actor, number)
            service.check(session, self.actor, found, seen, self.deed(), now=datetime.now(UTC))
            compared = queries.compare(session, found.id)
        return len(compared.missing), len(compared.surplus)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def one_round(bench: Bench, numbers: list[str], strays: list[str]) -> dict[str, float]:
    """Seconds of each move of one bag."""
    bag = str(bench.act(service.open_container, None))
    found = {"pack": timed(lambda: bench.act(service.pack, bag, numbers))}
    bench.act(service.seal, bag, "S-1")
    found["outer scan"] = timed(lambda: bench.scan(bag, "departed"))
    bench.act(service.receive, bag)
    seen = numbers[: len(numbers) * 99 // 100] + strays
    named: list[tuple[int, int]] = []
    found["comparison"] = timed(lambda: named.append(bench.compare(bag, seen)))
    if named != [(len(numbers) - len(seen) + len(strays), len(strays))]:
        raise SystemExit(f"the dock named {named}")
    bench.act(service.break_up, bag)
    return found


def by_hand(bench: Bench, numbers: list[str]) -> dict[str, float]:
    """The same moves piece by piece, for some of the pieces; seconds for all of them."""
    some = numbers[:: min(PEER_SHARE, len(numbers))]
    share = len(numbers) / len(some)
    bag = str(bench.act(service.open_container, None))
    found = {"pack": share * timed(lambda: [bench.act(service.pack, bag, [one]) for one in some])}
    bench.act(service.seal, bag, "S-2")
    found["outer scan"] = share * timed(lambda: [bench.scan(one, "departed") for one in some])
    bench.act(service.receive, bag)
    found["comparison"] = share * timed(lambda: [bench.act(service.check, bag, [one]) for one in some])
    bench.act(service.break_up, bag)
    return found


def bare(world: World, count: int) -> dict[str, float]:
    """The rows of the last bag, copied once more into equal tables: what PostgreSQL needs for them alone."""
    found = {}
    with world.connect() as connection:
        for name, table, where in (
            ("pack", "container_item", "NOT surplus"),
            ("outer scan", "scan", "container_id IS NOT NULL"),
        ):
            copy = f"bare_{table}"
            connection.execute(f"CREATE TABLE {copy} (LIKE {table} INCLUDING ALL)")
            if name == "pack":
                connection.execute(
                    f"DROP INDEX IF EXISTS {copy}_container_id_shipment_id_piece_no_child_id_idx"
                )
            key = "shipment_id" if name == "pack" else "scan_key"
            rows = f"SELECT DISTINCT ON ({key}) * FROM {table} WHERE {where} LIMIT {count}"
            connection.execute(f"CREATE TEMP TABLE given_{table} AS {rows}")
            found[name] = timed(lambda: _copied(connection, copy, f"given_{table}"))  # noqa: B023
    return found


def _copied(connection: psycopg.Connection, target: str, source: str) -> None:
    override = "OVERRIDING SYSTEM VALUE " if "item" in target else ""
    connection.execute(f"INSERT INTO {target} {override}SELECT * FROM {source}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=12.0, help="about, for the rounds (default 12)")
    parser.add_argument("--pieces", type=int, default=None, help=f"in the bag (default {PIECES})")
    arguments = parser.parse_args()
    pieces = arguments.pieces or (PIECES if arguments.seconds >= 1 else 200)
    with company(pieces + 20) as world:
        database = Database(world.url)
        bench = Bench(world, database)
        numbers, strays = list(world.numbers[:pieces]), list(world.numbers[pieces:])
        rounds = [one_round(bench, numbers, strays)]
        until = time.perf_counter() + arguments.seconds / 2
        while time.perf_counter() < until:
            rounds.append(one_round(bench, numbers, strays))
        peer, limit = by_hand(bench, numbers), bare(world, pieces)
        database.dispose()
    print(
        f"A bag of {pieces:,} pieces  ({os.cpu_count()} cores shared with PostgreSQL, {len(rounds)} rounds)"
    )
    print(f"{'':34}  {'ms':>9}  {'median':>9}  {'pieces/s':>10}")
    for name in rounds[0]:
        times = [one[name] for one in rounds]
        best = min(times)
        if name in limit:
            _print(f"{name}, limit: the bare inserts", limit[name], limit[name], pieces)
        else:
            _print(f"{name}, limit: what is promised", COMPARE_S_MAX, COMPARE_S_MAX, pieces)
        _print(f"{name}, peer: piece by piece", peer[name], peer[name], pieces)
        _print(name, best, statistics.median(times), pieces)


def _print(name: str, best: float, median: float, pieces: int) -> None:
    print(f"{name:34}  {best * 1000:9,.1f}  {median * 1000:9,.1f}  {pieces / best:10,.0f}")


if __name__ == "__main__":
    main()
