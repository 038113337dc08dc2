"""A company with many booked parcels on a durable private PostgreSQL, and its service over HTTP.

The small demo world is built by the service itself; its shipments are then multiplied in the database, since
booking a hundred thousand one by one would take longer than what is to be tried.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pydantic
import sqlalchemy as sa

from app.accounts import queries as accounts
from app.accounts import service as accounts_service
from app.accounts.models import Installation, User
from app.accounts.roles import SCOPES, Role
from app.actor import Actor
from app.config import REPOSITORY, Settings
from app.db import embedded, migrate
from app.db.base import Base
from app.db.session import Database
from app.demo import world
from app.shipments.models import Shipment, ShipmentBooking, ShipmentLeg
from app.shipments.scan_values import BOOKING_DEVICE
from app.shipments.values import scan_key
from tracking.numbers import waybill_number

DATABASE = "bench"
BOOKED_AT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
SECRET = "not a secret: this database lives for a few minutes only"
_READY_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class World:
    """Where it is, and what can be scanned in it."""

    cluster: embedded.Cluster
    tenant_id: int
    token: str
    numbers: tuple[str, ...]
    shipment_ids: tuple[int, ...]
    facility_ids: tuple[int, ...]

    @property
    def url(self) -> str:
        """The database of the service."""
        return self.cluster.url(DATABASE)

    def connect(self, database: str = DATABASE) -> psycopg.Connection:
        """A connection of its own, without the service's library between."""
        return psycopg.connect(
            self.cluster.url(database).replace("postgresql+psycopg://", "postgresql://"), autocommit=True
        )


@contextmanager
def company(shipments: int, standing: Mapping[str, str] | None = None) -> Iterator[World]:
    """Build it in a temporary folder; everything is removed at the end.

    Args:
        shipments: how many.
        standing: columns of their rows that are not those of a parcel booked three days ago and not scanned
            since, as SQL that may refer to `fresh` (place from 0, id, number, key) and `old`, its model.
    """
    home = Path(tempfile.mkdtemp(prefix="wheelhouse-bench-"))
    try:
        with embedded.start(home / "postgres") as cluster:
            cluster.create_database(DATABASE)
            migrate.upgrade(cluster.url(DATABASE))
            settings = Settings(
                database_url=cluster.url(DATABASE), secret_key=pydantic.SecretStr(SECRET), log_level="ERROR"
            )
            if world.load(settings, seed=42, parcels=20, days=1, if_empty=False) != 0:
                raise SystemExit("the small world could not be built")
            yield _multiplied(cluster, shipments, standing or {})
    finally:
        embedded.discard(home / "postgres")
        shutil.rmtree(home, ignore_errors=True)


def _multiplied(cluster: embedded.Cluster, count: int, standing: Mapping[str, str]) -> World:
    database = Database(cluster.url(DATABASE))
    with database.unit_of_work(None) as session:
        (tenant,) = accounts.tenants(session)
        tenant_id, prefix = tenant.id, tenant.waybill_prefix
        key = session.get_one(Installation, 1).waybill_key
        first_id = (session.scalar(sa.select(sa.func.max(Shipment.id))) or 0) + 1
        dispatcher = session.scalars(sa.select(User).where(User.role == Role.DISPATCHER)).first()
        assert dispatcher is not None, "the demo has one"
    ids = range(first_id, first_id + count)
    numbers = tuple(waybill_number(one, prefix=prefix, key=key) for one in ids)
    with database.unit_of_work(tenant_id) as session:
        actor = Actor(
            user_id=dispatcher.id,
            name=dispatcher.name,
            tenant_id=tenant_id,
            role=Role.DISPATCHER,
            scopes=SCOPES[Role.DISPATCHER],
            subject_id=None,
        )
        _token, secret = accounts_service.create_token(
            session, actor, name="belt", scopes=SCOPES[Role.DISPATCHER], now=datetime.now(UTC)
        )
        connection = session.connection().connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        _fill(connection, tenant_id, ids, numbers, standing)
        facility_ids = tuple(session.scalars(sa.text("SELECT id FROM facility ORDER BY id LIMIT 40")))
    database.dispose()
    return World(cluster, tenant_id, secret, numbers, tuple(ids), facility_ids)


def _fill(
    connection: psycopg.Connection,
    tenant_id: int,
    ids: range,
    numbers: tuple[str, ...],
    standing: Mapping[str, str],
) -> None:
    """Copies of the demo's shipments: booked three days ago, not scanned since."""
    fresh = {
        "id": "fresh.id",
        "shipment_id": "fresh.id",
        "waybill_number": "fresh.number",
        "booked_at": "%(at)s",
        "state_since": "%(at)s",
        "milestone": "'booked'",
        "code": "'booked'",
        "state_facility_id": "NULL",
        "state_courier_id": "NULL",
        "attempts": "0",
        "terminal": "false",
        "has_findings": "false",
        "delivered_at": "NULL",
        "receipt_confirmed_at": "NULL",
        "trail": "int8send((extract(epoch FROM %(at)s) * 1000000)::bigint) || '\\x00'::bytea",
        "state_scan_key": "fresh.key",
        "seen_facility_id": "NULL",
        "quiet_until_at": "NULL",
        **{column: sql.replace("%", "%%") for column, sql in standing.items()},
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE fresh (place bigint, id bigint, number text, key text, model bigint) "
            "ON COMMIT DROP"
        )
        with cursor.copy("COPY fresh (place, id, number, key) FROM STDIN") as copy:
            for place, (one, number) in enumerate(zip(ids, numbers, strict=True)):
                copy.write_row((place, one, number, scan_key(tenant_id, BOOKING_DEVICE, number)))
        cursor.execute(
            "CREATE TEMP TABLE model ON COMMIT DROP AS "
            "SELECT row_number() OVER (ORDER BY id) - 1 AS place, id FROM shipment "
            "WHERE pieces = 1 AND EXISTS (SELECT FROM shipment_leg WHERE shipment_id = shipment.id)"
        )
        cursor.execute(
            "UPDATE fresh SET model = model.id FROM model "
            "WHERE model.place = fresh.place % (SELECT count(*) FROM model)"
        )
        shipments = "(shipment JOIN shipment_state ON shipment_id = id) AS old ON old.id"
        _copied(cursor, ShipmentBooking, shipments, fresh)
        _copied(cursor, Shipment, shipments, fresh)
        _copied(cursor, ShipmentLeg, "shipment_leg AS old ON old.shipment_id", {"shipment_id": "fresh.id"})
        _booked(cursor, tenant_id)
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE")
    connection.autocommit = False


def _copied(cursor: psycopg.Cursor, kind: type[Base], models: str, changed: Mapping[str, str]) -> None:
    """A copy of the model's rows for each fresh shipment, with some columns changed."""
    table = sa.inspect(kind).local_table
    names = [column.name for column in table.columns if column.name in changed or column.name != "id"]
    values = ", ".join(changed.get(name, f"old.{name}") for name in names)
    cursor.execute(
        f"INSERT INTO {table.name} ({', '.join(names)}) OVERRIDING SYSTEM VALUE SELECT {values} "
        f"FROM fresh JOIN {models} = fresh.model ORDER BY fresh.id",
        {"at": BOOKED_AT},
    )


def _booked(cursor: psycopg.Cursor, tenant_id: int) -> None:
    cursor.execute(
        "INSERT INTO scan (tenant_id, scan_key, shipment_id, shipment_month, device_id, client_scan_id, "
        "code, occurred_at, offset_minutes, received_at) "
        "SELECT %(tenant)s, key, id, %(month)s, %(device)s, number, 'booked', %(at)s, 480, %(at)s FROM fresh",
        {
            "tenant": tenant_id,
            "device": BOOKING_DEVICE,
            "at": BOOKED_AT,
            "month": BOOKED_AT.date().replace(day=1),
        },
    )


@contextmanager
def served(
    url: str,
    workers: int = 2,
    threads: int = 4,
    *,
    application: str = "wsgi:application",
    more: Mapping[str, str] | None = None,
) -> Iterator[tuple[int, int]]:
    """The service on a free port of the loopback address; gives the port and the server's process id.

    Args:
        url: of the database.
        workers: processes of the server.
        threads: of each.
        application: another WSGI application than the service, to be measured beside it on an equal server.
        more: variables of its environment.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "SECRET_KEY": SECRET,
        "LOG_LEVEL": "ERROR",
        "PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "benchmarks"))),
        **(more or {}),
    }
    command = (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", application, "--http", "1"),
        *("--host", "127.0.0.1", "--port", str(port), "--no-ws", "--log-level", "error"),
        *("--workers", str(workers), "--blocking-threads", str(threads)),
        # One that is told to end while it is being forked never hears it; the server would wait for ever.
        *("--respawn-failed-workers", "--workers-kill-timeout", "10"),
    )
    server = subprocess.Popen(command, cwd=REPOSITORY, env=environment)
    try:
        _wait_until_ready(port, server)
        yield port, server.pid
    finally:
        server.terminate()
        server.wait(20)


def _wait_until_ready(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_S_MAX
    while time.monotonic() < deadline and server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    raise SystemExit("the service did not come up")
