"""What devices tell the service in the demo world, in the order of time: scans, hand-overs, work at docks."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.db.session import Database
from app.demo.journey import Heard
from app.demo.parcels import OFFSET_MINUTES
from app.demo.setup import Company

_SCANS_AT_ONCE = 1_000

Action = Callable[[Session, datetime], None]


@dataclass
class MovableClock:
    """The application's clock while the world is built."""

    moment: datetime

    def __call__(self) -> datetime:
        return self.moment


@dataclass
class Feed:
    """Everything that is still to be told; what lies between two actions goes to the API in batches."""

    database: Database
    client: FlaskClient
    clock: MovableClock
    company: Company
    codes: dict[int, str]
    _due: list[tuple[datetime, int, dict[str, Any] | Action]] = field(default_factory=list)
    _tickets: Iterator[int] = field(default_factory=count)

    def push(self, when: datetime, what: dict[str, Any] | Action) -> None:
        """Tell something at a moment: a scan, a hand-over, or an action of the services."""
        heapq.heappush(self._due, (when, next(self._tickets), what))

    def row(self, number: str, scan: Heard) -> dict[str, Any]:
        """A scan as the API takes it."""
        row: dict[str, Any] = {
            "number": number,
            "code": scan.code,
            "occurred_at": scan.occurred_at.isoformat(),
            "offset_minutes": OFFSET_MINUTES,
            "client_scan_id": f"{number}-{scan.index}",
        }
        if scan.by_courier_of is not None:
            courier_id = self.courier(number, scan.by_courier_of)
            row |= {"device_id": f"phone-{courier_id}", "courier_id": courier_id}
        else:
            row |= {
                "device_id": f"gun-{self.codes.get(scan.facility_id or 0, 'x')}",
                "facility_id": scan.facility_id,
            }
        if scan.reason is not None:
            row["reason"] = scan.reason
        if scan.received_by is not None:
            row["proof"] = {"kind": "code", "received_by": scan.received_by}
        return row

    def courier(self, number: str, outlet_id: int) -> int:
        """Who of an outlet's couriers has a parcel."""
        couriers = self.company.couriers[outlet_id]
        return couriers[int(number[2:-1]) % len(couriers)]

    def tell(self, until: datetime) -> None:
        """Everything that is due before a moment."""
        rows: list[dict[str, Any]] = []
        while self._due and self._due[0][0] < until:
            when, _ticket, what = heapq.heappop(self._due)
            apart = callable(what) or "paid" in what
            if apart or len(rows) == _SCANS_AT_ONCE:
                self._send(rows)
                rows = []
            self.clock.moment = when
            if callable(what):
                with self.database.unit_of_work(self.company.tenant_id) as session:
                    what(session, when)
            elif apart:
                self.post("/api/v1/hand-overs", what, "dispatcher", key=f"demo-{what['client_id']}")
            else:
                rows.append(what)
        self._send(rows)

    def post(self, path: str, body: object, who: str, *, key: str | None = None) -> Any:
        """Ask the API for something; gives its answer.

        Raises:
            RuntimeError: it was refused.
        """
        headers = {"Authorization": f"Bearer {self.company.tokens[who]}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        answer = self.client.post(path, json=body, headers=headers)
        if answer.status_code >= 400:
            raise RuntimeError(f"POST {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json

    def _send(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        answer = self.post("/api/v1/scans", rows, "dispatcher")
        refused = [result for result in answer["items"] if result["status"] in ("rejected", "unmatched")]
        if refused:
            raise RuntimeError(f"the demo's own scans were refused: {refused[:3]}")
