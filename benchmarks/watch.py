"""How long it takes to look at a million parcels under way, and at the deliveries that nobody confirmed.

The first run finds about a sixth of them late, stuck, astray or waiting, and a twentieth so long silent that
their estimates are worked out anew; the second comes five minutes later,
when some thousand have moved. Both are the steps of the service's own job, each in a transaction of its own,
on a durable private PostgreSQL. The limit is PostgreSQL reading the same rows once, one after another, in one
process. The peer is what a parcel costs whose scans are read and folded in Python, tried on a sample.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import _measure  # noqa: F401 - puts the project on the path
import pydantic
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.db.session import Database
from app.network.queries import routing_network
from app.shipments import watching
from app.shipments.estimates import estimate
from app.shipments.folding import state_of_scans
from app.shipments.history import load_history
from app.shipments.legs import legs_by_shipment
from app.shipments.models import Shipment
from app.shipments.scan_store import scans_by_shipment
from tests.support.multitude import SECRET, World, company
from tracking.watch import ShipmentView
from tracking.watch import watch as engine

FIRST_S, SECOND_S = 60, 20
NOW = datetime.now(UTC).replace(microsecond=0)
_SAMPLE = 2_000
_AT = f"'{NOW.isoformat()}'::timestamptz"
_PLACE = "fresh.place"
# Spread evenly, and not in step with the kinds below, which go by the hundredth parcel.
_HOURS = f"({_PLACE} * 7919 % 36000) * interval '1 second'"
_LEG = (
    "(SELECT from_facility_id FROM shipment_leg WHERE shipment_id = old.id "
    f"ORDER BY sequence OFFSET {_PLACE} / 100 % 2 LIMIT 1)"
)
_ASTRAY = (
    "(SELECT max(f.id) FROM facility AS f WHERE f.tenant_id = old.tenant_id AND NOT EXISTS (SELECT FROM "
    "shipment_leg AS leg WHERE leg.shipment_id = old.id "
    "AND f.id IN (leg.from_facility_id, leg.to_facility_id)))"
)

STANDING = {
    # Of a hundred: 4 late, 4 expected late, 5 not heard of, 3 waiting to be fetched (one overdue); one of two
    # hundred astray; one of eleven delivered.
    "milestone": f"CASE WHEN {_PLACE} % 11 = 5 THEN 'delivered' WHEN {_PLACE} % 100 IN (20, 21, 22) "
    "THEN 'ready_for_pickup' ELSE 'in_transit' END",
    "code": f"CASE WHEN {_PLACE} % 11 = 5 THEN 'delivered' WHEN {_PLACE} % 100 IN (20, 21, 22) "
    "THEN 'at_outlet' ELSE 'departed' END",
    "terminal": f"{_PLACE} % 11 = 5",
    "delivered_at": f"CASE WHEN {_PLACE} % 11 = 5 THEN {_AT} - interval '4 days' - {_HOURS} END",
    "state_since": f"CASE WHEN {_PLACE} % 11 = 5 THEN {_AT} - interval '4 days' - {_HOURS} "
    f"WHEN {_PLACE} % 100 IN (10, 11, 12, 13, 14) THEN {_AT} - interval '20 hours' - {_HOURS} "
    f"WHEN {_PLACE} % 100 = 20 THEN {_AT} - interval '3 days' ELSE {_AT} - {_HOURS} END",
    "quiet_until_at": f"CASE WHEN {_PLACE} % 100 IN (10, 11, 12, 13, 14) THEN {_AT} - {_HOURS} "
    f"ELSE {_AT} - {_HOURS} + interval '12 hours' END",
    "state_facility_id": _LEG,
    "seen_facility_id": f"CASE WHEN {_PLACE} % 200 = 50 THEN {_ASTRAY} ELSE {_LEG} END",
    "state_scan_key": "md5(fresh.key)",
    "promised_to_at": f"CASE WHEN {_PLACE} % 100 IN (30, 31, 32, 33) THEN {_AT} - {_HOURS} "
    f"ELSE {_AT} + interval '30 hours' END",
    "estimate_p50_at": f"{_AT} + CASE WHEN {_PLACE} % 100 IN (40, 41, 42, 43) THEN interval '33 hours' "
    "ELSE interval '25 hours' END",
    # Of twenty one has been silent for so long that its estimate is worked out anew.
    "estimate_ages_at": f"{_AT} + CASE WHEN {_PLACE} % 20 = 7 THEN -interval '1 minute' "
    "ELSE interval '12 hours' END",
    "estimate_p80_at": f"{_AT} + interval '34 hours'",
    "estimate_p95_at": f"{_AT} + interval '40 hours'",
}
# The scans that say so: it was collected, and is where its row says.
_SCANS = """
INSERT INTO scan (tenant_id, scan_key, shipment_id, shipment_month, device_id, client_scan_id, code,
    occurred_at, offset_minutes, received_at, facility_id)
SELECT s.tenant_id, CASE step WHEN 1 THEN md5('collected' || s.id) ELSE s.state_scan_key END, s.id,
    date_trunc('month', s.booked_at AT TIME ZONE 'UTC')::date, 'belt', step || '-' || s.id,
    CASE step WHEN 1 THEN 'collected' ELSE s.code END, at, 480, at,
    CASE step WHEN 2 THEN s.seen_facility_id END
FROM (shipment JOIN shipment_state ON shipment_id = id) AS s
CROSS JOIN generate_series(1, 2) AS step
CROSS JOIN LATERAL (SELECT CASE step WHEN 1 THEN s.booked_at ELSE s.state_since END AS at) AS moment
WHERE s.id = ANY (%s)
"""
# Five minutes of ordinary life: of those that are stuck some are scanned again, others become late.
_LIFE = """
WITH moved AS (
    UPDATE shipment_state SET
        state_since = CASE WHEN shipment_id %% 2 = 0 THEN %(at)s ELSE state_since END,
        state_scan_key = CASE WHEN shipment_id %% 2 = 0 THEN md5(state_scan_key) ELSE state_scan_key END
    WHERE NOT terminal AND shipment_id %% 290 < 2
    RETURNING shipment_id
)
UPDATE shipment SET
    quiet_until_at = CASE WHEN id %% 2 = 0 THEN %(at)s + interval '9 hours' ELSE quiet_until_at END,
    promised_to_at = CASE WHEN id %% 2 = 1 THEN %(at)s - interval '1 second' ELSE promised_to_at END
FROM moved WHERE id = moved.shipment_id
"""


def peak_kib(reset: bool = False) -> int:
    """The most memory of this process since it was reset, in KiB."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def run(database: Database, settings: Settings, now: datetime) -> tuple[float, float, int, int]:
    """Seconds of a run, of its longest step, how many steps, and how many findings opened or closed."""
    began, longest, steps, changed = time.perf_counter(), 0.0, 0, 0
    progress: object = {}
    while progress is not None:
        step = time.perf_counter()
        with database.unit_of_work(None) as session:
            done = watching.watch_step(session, settings, now, progress)  # type: ignore[arg-type]
        longest = max(longest, time.perf_counter() - step)
        progress, steps, changed = done.progress, steps + 1, changed + done.changed
    return time.perf_counter() - began, longest, steps, changed


def one_by_one_s(database: Database, world: World, sample: list[int]) -> float:
    """Seconds a parcel when its scans are read and folded, its estimate renewed and the engine asked."""
    with database.unit_of_work(world.tenant_id) as session:
        began = time.perf_counter()
        for start in range(0, len(sample), 1000):
            _look_at(session, sample[start : start + 1000])
        return (time.perf_counter() - began) / len(sample)


def _look_at(session: Session, ids: list[int]) -> None:
    shipments = session.scalars(sa.select(Shipment).where(Shipment.id.in_(ids))).all()
    scans = scans_by_shipment(session, shipments)
    legs = legs_by_shipment(session, ids)
    history, places = load_history(session), routing_network(session)
    for one in shipments:
        state, counting = state_of_scans(scans[one.id], one.pieces)
        ahead = estimate(one, state, counting, legs[one.id], NOW, history, places, {})
        view = ShipmentView(
            state,
            tuple(counting),
            tuple(legs[one.id]),
            promised_at=one.promised_to_at,
            estimate=None if ahead is None else ahead.promise,
            quiet_until=None if ahead is None else ahead.quiet_until,
        )
        engine(view, NOW)


def read_once_s(world: World) -> float:
    """Seconds of one reading of the same rows by PostgreSQL, the better of two."""
    spent = []
    with world.connect() as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0")
        for _time in range(2):
            began = time.perf_counter()
            connection.execute(
                "SELECT count(*) FROM shipment JOIN shipment_state ON shipment_id = id WHERE goods <> ''"
            ).fetchall()
            spent.append(time.perf_counter() - began)
    return min(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description="The watch over parcels under way")
    parser.add_argument(
        "--parcels", type=int, default=1_100_000, help="(default 1,100,000; 1 of 11 delivered)"
    )
    parser.add_argument("--seconds", type=float, help="as many parcels as the limit allows in that time")
    arguments = parser.parse_args()
    count = arguments.parcels
    if arguments.seconds is not None:
        count = max(1_000, round(arguments.seconds * count / FIRST_S))
    with company(count, STANDING) as world:
        astray = [one for place, one in enumerate(world.shipment_ids) if place % 200 == 50]
        sample = list(world.shipment_ids[:: max(1, count // _SAMPLE)])
        with world.connect() as connection:
            connection.execute(_SCANS, (sorted({*astray, *sample}),))
            connection.execute("ANALYZE")
            row = connection.execute(
                "SELECT count(*), count(*) FILTER (WHERE estimate_ages_at <= %s) "
                "FROM shipment JOIN shipment_state ON shipment_id = id WHERE NOT terminal",
                (NOW,),
            ).fetchone()
            assert row is not None, "an aggregate gives a row"
        read_s = read_once_s(world)
        database = Database(world.url)
        settings = Settings(database_url=world.url, secret_key=pydantic.SecretStr(SECRET))
        each_s = one_by_one_s(database, world, sample)
        before = peak_kib(reset=True)
        first_s, first_longest_s, steps, opened = run(database, settings, NOW)
        with world.connect() as connection:
            connection.execute(_LIFE, {"at": NOW + timedelta(minutes=4)})
        second_s, second_longest_s, _steps, changed = run(database, settings, NOW + timedelta(minutes=5))
        grown_mib = (peak_kib() - before) / 1024
        database.dispose()
    print(
        f"{count:,} parcels, {row[0]:,} of them under way, {row[1]:,} silent for long; {steps} steps; "
        f"memory grew by {grown_mib:.0f} MiB"
    )
    print(f"{'':34} {'seconds':>8} {'parcels/s':>12}")
    print(f"{'limit: PostgreSQL reads the rows':34} {read_s:8.1f} {count / read_s:12,.0f}  once, in order")
    print(f"{'peer: folded in Python':34} {each_s * count:8.1f} {1 / each_s:12,.0f}  from {len(sample):,}")
    for name, spent_s, longest_s, found, most_s in (
        ("app.shipments.watching, first", first_s, first_longest_s, opened, FIRST_S),
        ("app.shipments.watching, steady", second_s, second_longest_s, changed, SECOND_S),
    ):
        remark = f"{found:,} opened or closed; longest step {longest_s:.2f} s; aim {most_s} s"
        print(f"{name:34} {spent_s:8.1f} {count / spent_s:12,.0f}  {remark}")


if __name__ == "__main__":
    main()
