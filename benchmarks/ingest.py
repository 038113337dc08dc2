"""How fast scans are taken in over HTTP, everything on: parsed, recognised, folded, told, answered.

Two senders share their shipments: what one sends of a parcel today the other sends of it next. PostgreSQL,
the service and the senders share the machine. The limit is PostgreSQL itself: the same rows in one bulk COPY
into an equal table (same columns, partitions and indexes) of the same cluster, right afterwards.
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import _measure  # noqa: F401 - puts the project on the path
import msgspec
import sqlalchemy as sa
from _stored_scans import let_travel, parcels_for

from app.shipments.models import ScanRecord
from tests.support.multitude import BOOKED_AT, DATABASE, World, company, served

LIFE = (
    "collected",
    "accepted",
    "sorted",
    "departed",
    "arrived",
    "sorted",
    "departed",
    "arrived",
    "sorted",
    "out_for_delivery",
    "delivered",
)
SENDERS = 2
LATE_SHARE = 0.1
SCANS_A_SECOND = 20_000  # about; says how much is sent in the time asked for
# The least of the COPY rate that a batch size has to reach, and what is aimed at.
LIMITS = {100: (0.10, 0.20), 1_000: (0.18, 0.30), 10_000: (0.35, 0.45)}


@dataclass(frozen=True, slots=True)
class Sent:
    """What a sender saw: rows accepted, and how long each batch took."""

    rows: int
    seconds: tuple[float, ...]


def stream(world: World, first: int, count: int, random: Random) -> list[dict[str, object]]:
    """The scans of some parcels in the order in which they are heard: by time, a tenth of them late."""
    heard: list[tuple[float, dict[str, object]]] = []
    for place in range(first, first + count):
        start_s = random.random() * 40_000
        for step, code in enumerate(LIFE):
            at_s = start_s + step * 9_000 + random.random() * 600
            late_s = random.random() * 30_000 if random.random() < LATE_SHARE else 0
            heard.append(
                (
                    at_s + late_s,
                    {
                        "number": world.numbers[place],
                        "code": code,
                        "occurred_at": (BOOKED_AT + timedelta(seconds=at_s)).isoformat(),
                        "device_id": f"belt-{place % 50}",
                        "client_scan_id": f"{place}-{step}",
                        "facility_id": world.facility_ids[(place + step) % len(world.facility_ids)],
                    },
                )
            )
    heard.sort(key=lambda one: one[0])
    return [scan for _at, scan in heard]


def send(port: int, token: str, bodies: Sequence[bytes], barrier: object, results: object) -> None:
    """Post the bodies one after the other on one connection, as soon as every sender is ready."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    barrier.wait()  # type: ignore[attr-defined]
    rows, seconds = 0, []
    for body in bodies:
        began = time.perf_counter()
        connection.request("POST", "/api/v1/scans", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        seconds.append(time.perf_counter() - began)
        if answer.status != 200:
            raise SystemExit(f"{answer.status}: {text[:300]!r}")
        rows += text.count(b'"status":"recorded"')
    results.put(Sent(rows, tuple(seconds)))  # type: ignore[attr-defined]


def post_all(port: int, token: str, scans: list[dict[str, object]], batch: int) -> tuple[float, float]:
    """Rows a second over all senders, and the median time of a batch in milliseconds."""
    encoded = [msgspec.json.encode(scans[at : at + batch]) for at in range(0, len(scans), batch)]
    spawn = multiprocessing.get_context("spawn")
    barrier, results = spawn.Barrier(SENDERS + 1), spawn.Queue()
    senders = [
        spawn.Process(target=send, args=(port, token, encoded[number::SENDERS], barrier, results))
        for number in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    barrier.wait()
    began = time.perf_counter()
    found = [results.get(timeout=600) for _sender in senders]
    spent = time.perf_counter() - began
    for sender in senders:
        sender.join()
    if sum(one.rows for one in found) != len(scans):
        raise SystemExit("not every scan was recorded")
    return len(scans) / spent, 1000 * statistics.median([one for sent in found for one in sent.seconds])


def copy_rate(world: World, since_device: str) -> tuple[int, float]:
    """Rows a second of one COPY of the same rows into an equal table."""
    with world.connect() as source, world.connect("copied") as target:
        columns = ", ".join(column.name for column in sa.inspect(ScanRecord).local_table.columns)
        rows = f"SELECT {columns} FROM scan WHERE device_id LIKE '{since_device}%'"
        out = f"COPY ({rows}) TO STDOUT (FORMAT binary)"
        with source.cursor().copy(out) as copy:
            content = b"".join(bytes(block) for block in copy)
        target.execute("CHECKPOINT")
        began = time.perf_counter()
        cursor = target.cursor()
        with cursor.copy(f"COPY scan ({columns}) FROM STDIN (FORMAT binary)") as copy:
            for at in range(0, len(content), 1 << 20):
                copy.write(content[at : at + (1 << 20)])
        return cursor.rowcount, cursor.rowcount / (time.perf_counter() - began)


def row_by_row_rate(world: World) -> float:
    """Rows a second of one who inserts each scan by itself and keeps no state: a transaction a thousand."""
    columns = ", ".join(column.name for column in sa.inspect(ScanRecord).local_table.columns)
    statement = f"INSERT INTO scan ({columns}) VALUES ({', '.join(['%s'] * (columns.count(',') + 1))})"
    with world.connect() as source, world.connect("copied") as target:
        rows = source.execute(
            f"SELECT {columns} FROM scan WHERE device_id LIKE 'belt-%' LIMIT 3000"
        ).fetchall()
        target.execute("CREATE TABLE again (LIKE scan INCLUDING ALL)")
        began = time.perf_counter()
        for start in range(0, len(rows), 1_000):
            with target.transaction():
                for row in rows[start : start + 1_000]:
                    target.execute(statement.replace("INTO scan", "INTO again"), row)
        return len(rows) / (time.perf_counter() - began)


def measured(
    world: World, each: int, sizes: Sequence[int]
) -> tuple[dict[int, tuple[float, float]], int, float]:
    """By batch size the rate and the median time; the rows of the COPY and its rate."""
    with served(world.url) as (port, _pid):
        random = Random(42)
        warm = stream(world, 0, each, random)[: max(20_000, 20 * max(sizes))]
        post_all(port, world.token, warm, 1_000)
        rates = {
            size: post_all(port, world.token, stream(world, each * (place + 1), each, random), size)
            for place, size in enumerate(sizes)
        }
    return rates, *copy_rate(world, "belt-")


def table(
    stored: int, rates: Mapping[int, tuple[float, float]], rows: int, limit: float, peer: float
) -> None:
    """Print what was seen."""
    print(
        f"Scans taken in over HTTP by {SENDERS} senders beside {stored:,} stored  "
        f"({os.cpu_count()} cores shared with PostgreSQL)"
    )
    print(f"{'':28}  {'scans/s':>10}  {'of COPY':>8}  {'needed':>7}  {'aim':>5}  {'p50 ms':>7}")
    print(f"{'limit: COPY, one go':28}  {limit:10,.0f}  {1:8.3f}  {'':>7}  {'':>5}  {'':>7}  {rows:,} rows")
    print(f"{'peer: INSERT row by row':28}  {peer:10,.0f}  {peer / limit:8.3f}  {'':>22}  no HTTP, no state")
    for size, (rate, milliseconds) in rates.items():
        needed, aim = LIMITS.get(size, (0, 0))
        line = f"{f'batches of {size:,}':28}  {rate:10,.0f}  {rate / limit:8.3f}"
        print(f"{line}  {needed:7.2f}  {aim:5.2f}  {milliseconds:7.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, action="append", help="batch sizes (default 100, 1000, 10000)")
    parser.add_argument("--seconds", type=float, default=12.0, help="for each batch size, about (default 12)")
    parser.add_argument(
        "--stored", type=int, action="append", help="scans stored before; can be repeated (default 0)"
    )
    arguments = parser.parse_args()
    sizes = arguments.batch or sorted(LIMITS)
    each = max(100, int(arguments.seconds * SCANS_A_SECOND) // len(LIFE))
    fresh = each * (len(sizes) + 1)
    seen: dict[int, dict[int, float]] = {}
    for stored in arguments.stored or [0]:
        with company(fresh + (parcels_for(stored) if stored else 0)) as world:
            world.cluster.create_database("copied", template=DATABASE)  # while there is little in it
            if stored:
                let_travel(world, fresh)
            rates, rows, limit = measured(world, each, sizes)
            peer = row_by_row_rate(world)
        table(stored, rates, rows, limit, peer)
        seen[stored] = {size: rate for size, (rate, _milliseconds) in rates.items()}
    if len(seen) > 1:
        first, last = min(seen), max(seen)
        for size, rate in seen[last].items():
            kept = rate / seen[first][size]
            print(
                f"batches of {size:,}: beside {last:,} {kept:.2f} of the rate beside {first:,} (needed 0.80)"
            )


if __name__ == "__main__":
    main()
