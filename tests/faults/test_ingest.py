"""Scans are neither lost nor doubled: shuffled, a fifth sent twice, by four senders, and all is killed.

The senders do what a device does: they send again until they are answered. Meanwhile a web worker and then
PostgreSQL itself are killed (SIGKILL). Afterwards each parcel stands where the fold over its scans in order
puts it. `WHEELHOUSE_FAULT_SCANS=1000000` makes it a million.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import random
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest

from app.db import embedded
from app.shipments.scan_values import BOOKING_DEVICE
from app.shipments.values import scan_key
from tests.support.multitude import BOOKED_AT, World, company, served
from tracking.lifecycle import fold
from tracking.shipment import Scan, ScanCode

SCANS = int(os.environ.get("WHEELHOUSE_FAULT_SCANS", "12000"))
LIFE = (
    ScanCode.COLLECTED,
    ScanCode.ACCEPTED,
    ScanCode.SORTED,
    ScanCode.DEPARTED,
    ScanCode.ARRIVED,
    ScanCode.DEPARTED,
    ScanCode.ARRIVED,
    ScanCode.OUT_FOR_DELIVERY,
    ScanCode.ATTEMPT_FAILED,
    ScanCode.OUT_FOR_DELIVERY,
    ScanCode.DELIVERED,
)
SENDERS = 4
BATCH = 500
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with company(SCANS // len(LIFE)) as built:
        yield built


def scans_of(world: World, place: int) -> Iterator[dict[str, object]]:
    """The life of one parcel, as its devices send it."""
    for step, code in enumerate(LIFE):
        yield {
            "number": world.numbers[place],
            "code": code.value,
            "occurred_at": (BOOKED_AT + timedelta(minutes=place % 600 + 90 * (step + 1))).isoformat(),
            "device_id": f"gun-{place % 7}",
            "client_scan_id": f"{place}-{step}",
            "facility_id": world.facility_ids[(place + step) % len(world.facility_ids)],
        }


class Senders:
    """Devices that send their batches until each is answered."""

    def __init__(self, world: World, port: int, scans: Sequence[dict[str, object]]) -> None:
        pick = random.Random(7)
        coming = [*scans, *pick.sample(scans, len(scans) // 5)]
        pick.shuffle(coming)
        self._batches = [
            msgspec.json.encode(coming[start : start + BATCH]) for start in range(0, len(coming), BATCH)
        ]
        self._token, self._port = world.token, port
        self.answered: list[int] = []
        self.retries: list[str] = []
        self.given_up: list[str] = []
        self._threads = [
            threading.Thread(target=self._send, args=(self._batches[number::SENDERS],), daemon=True)
            for number in range(SENDERS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait_for(self, share: float) -> None:
        """Until so much of it is answered."""
        while len(self.answered) < share * len(self._batches) and not self.given_up:
            time.sleep(0.02)

    def finish(self) -> None:
        for thread in self._threads:
            thread.join()
        assert self.given_up == []
        assert len(self.answered) == len(self._batches)

    def _send(self, batches: Iterable[bytes]) -> None:
        for body in batches:
            deadline = time.monotonic() + PATIENCE_S
            while (failed := self._try(body)) is not None:
                self.retries.append(failed)
                if time.monotonic() > deadline:
                    self.given_up.append(failed)
                    return
                time.sleep(0.2)
            self.answered.append(len(body))

    def _try(self, body: bytes) -> str | None:
        """Why a batch was not taken; None when it was."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
            connection.request("POST", "/api/v1/scans", body, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        finally:
            connection.close()
        if answer.status != 200:
            return f"{answer.status}: {text[:200]!r}"
        results = {item["status"] for item in msgspec.json.decode(text)["items"]}
        assert results <= {"recorded", "duplicate"}, results
        return None


def test_nothing_is_lost_or_doubled_whatever_is_killed(world: World) -> None:
    scans = [scan for place in range(len(world.numbers)) for scan in scans_of(world, place)]
    with served(world.url) as (port, server_pid):
        senders = Senders(world, port, scans)
        senders.start()
        senders.wait_for(0.3)
        os.kill(workers_of(server_pid)[0], signal.SIGKILL)
        senders.wait_for(0.6)
        postmaster = postmaster_of(world.cluster.home)
        os.kill(postmaster, signal.SIGKILL)
        os.waitpid(postmaster, 0)  # a process that nobody has asked about counts as running
        time.sleep(1)
        with embedded.start(world.cluster.home):
            senders.finish()
    assert senders.retries, "nobody noticed that anything was killed"
    with world.connect() as connection:
        (stored,) = connection.execute(
            "SELECT count(*) FROM scan WHERE device_id LIKE 'gun-%%' AND shipment_id >= %s",
            [world.shipment_ids[0]],
        ).fetchone() or (0,)
        assert stored == len(scans)
        assert state_hash(stored_states(connection, world)) == state_hash(states_in_order(world))


def workers_of(server_pid: int) -> list[int]:
    children = Path(f"/proc/{server_pid}/task/{server_pid}/children").read_text().split()
    found = [
        int(child)
        for child in children
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    assert found
    return found


def postmaster_of(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().split()[0])


def stored_states(connection: psycopg.Connection, world: World) -> Iterator[tuple[object, ...]]:
    yield from connection.execute(
        "SELECT waybill_number, milestone, code, state_since AT TIME ZONE 'UTC', state_facility_id, "
        "attempts, terminal, delivered_at AT TIME ZONE 'UTC' "
        "FROM shipment JOIN shipment_state ON shipment_id = id WHERE id >= %s",
        [world.shipment_ids[0]],
    )


def states_in_order(world: World) -> Iterator[tuple[object, ...]]:
    """Where the engine puts each parcel, told in order and once."""
    for place, number in enumerate(world.numbers):
        booked = Scan(
            scan_key(world.tenant_id, BOOKING_DEVICE, number),
            ScanCode.BOOKED,
            BOOKED_AT,
            480,
            BOOKED_AT,
            BOOKING_DEVICE,
            number,
            None,
            None,
        )
        state = fold([booked, *(as_scan(world, scan) for scan in scans_of(world, place))])
        assert state.since is not None
        assert state.code is not None
        yield (
            number,
            state.milestone.value,
            state.code.value,
            state.since.replace(tzinfo=None),
            state.facility_id,
            state.attempts,
            state.terminal,
            None if state.delivered_at is None else state.delivered_at.replace(tzinfo=None),
        )


def as_scan(world: World, sent: dict[str, object]) -> Scan:
    at = datetime.fromisoformat(str(sent["occurred_at"])).astimezone(UTC)
    device, client = str(sent["device_id"]), str(sent["client_scan_id"])
    facility_id = sent["facility_id"]
    assert isinstance(facility_id, int)
    return Scan(
        scan_key(world.tenant_id, device, client),
        ScanCode(str(sent["code"])),
        at,
        480,
        at,
        device,
        client,
        facility_id,
        None,
    )


def state_hash(states: Iterable[tuple[object, ...]]) -> str:
    return hashlib.sha256("\n".join(sorted(map(repr, states))).encode()).hexdigest()
