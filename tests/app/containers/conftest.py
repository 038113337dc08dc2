"""A dock: parcels, containers, and a gun that knows what it has sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import pytest
import sqlalchemy as sa

from app.actor import Actor
from app.containers import queries, service
from app.containers.service import ContainerInput, Deed, RowResult
from app.shipments.container_models import Container
from app.shipments.finding_models import ShipmentFinding
from app.shipments.models import ScanRecord, Shipment
from app.shipments.service import ScanInput, record_scans
from tests.app.shipments.conftest import Desk, desk, new_desk
from tracking.containers import ContainerKind

__all__ = ["desk", "new_desk"]


@dataclass
class Dock:
    """Does things with containers as a dispatcher does, a minute after the other."""

    desk: Desk
    sent: list[None] = field(default_factory=list)

    @cached_property
    def actor(self) -> Actor:
        """A dispatcher; signing in takes as long as it must."""
        return self.desk.logins.actor("dispatcher")

    @property
    def now(self) -> datetime:
        return self.desk.logins.clock()

    def deed(self, facility: str | None = None, **changes: Any) -> Deed:
        self.sent.append(None)
        values: dict[str, Any] = {
            "device_id": "dock-gun",
            "client_event_id": f"d{len(self.sent)}",
            "occurred_at": self.desk.logins.clock.forward(minutes=1),
            "facility_id": None if facility is None else self.desk.world.facilities[facility],
        }
        return Deed(**(values | changes))

    def act(self, what: Callable[..., Any], *given: Any, **options: Any) -> Any:
        """One act in a transaction of its own; a container is named by its number."""
        database, logins = self.desk.database, self.desk.logins
        actor = options.pop("actor", None) or self.actor
        with database.unit_of_work(logins.tenant_id) as session:
            number, *rest = given
            container = queries.load_container(session, actor, number)
            return what(session, actor, container, *rest, now=logins.clock(), **options)

    def open(self, kind: str = "bag", start: str = "CTU-G", end: str | None = "WUH-HUB", **more: Any) -> str:
        logins = self.desk.logins
        to_id = None if end is None else self.desk.world.facilities[end]
        wanted = ContainerInput(ContainerKind(kind), to_facility_id=to_id, **more)
        with self.desk.database.unit_of_work(logins.tenant_id) as session:
            made = service.open_container(session, self.actor, wanted, self.deed(start), now=logins.clock())
            return made.number

    def pack(self, number: str, *things: str, deed: Deed | None = None, **options: Any) -> list[RowResult]:
        found: list[RowResult] = self.act(service.pack, number, things, deed or self.deed(), **options)
        return found

    def unpack(self, number: str, *things: str, deed: Deed | None = None) -> list[RowResult]:
        found: list[RowResult] = self.act(service.unpack, number, things, deed or self.deed())
        return found

    def check(self, number: str, *things: str, deed: Deed | None = None) -> list[RowResult]:
        found: list[RowResult] = self.act(service.check, number, things, deed or self.deed())
        return found

    def seal(self, number: str) -> None:
        self.act(service.seal, number, "S-1", self.deed())

    def dispatch(self, number: str) -> int:
        moved: int = self.act(service.dispatch, number, self.deed())
        return moved

    def receive(self, number: str, facility: str = "WUH-HUB") -> int:
        moved: int = self.act(service.receive, number, self.deed(facility))
        return moved

    def count(self, number: str) -> int:
        missing: int = self.act(service.count, number, self.deed())
        return missing

    def break_up(self, number: str) -> int:
        missing: int = self.act(service.break_up, number, self.deed())
        return missing

    def scan(self, number: str, code: str, facility: str | None, **changes: Any) -> Any:
        """A scan of an outside, as a gun sends it."""
        self.sent.append(None)
        at = changes.pop("occurred_at", None) or self.desk.logins.clock.forward(minutes=1)
        values = {"number": number, "client_scan_id": f"o{len(self.sent)}", "device_id": "belt"} | changes
        place = None if facility is None else self.desk.world.facilities[facility]
        scan = ScanInput(code=code, occurred_at=at, facility_id=place, **values)
        with self.desk.database.unit_of_work(self.desk.logins.tenant_id) as session:
            (result,) = record_scans(session, None, [scan], now=self.now)
        return result

    def comparison(self, number: str) -> queries.Comparison:
        logins = self.desk.logins
        with self.desk.database.unit_of_work(logins.tenant_id) as session:
            container = queries.load_container(session, self.actor, number)
            return queries.compare(session, container.id)

    def container(self, number: str) -> Container:
        with self.desk.database.unit_of_work(self.desk.logins.tenant_id) as session:
            return session.scalars(sa.select(Container).where(Container.number == number)).one()

    def scans(self, shipment: Shipment) -> list[tuple[str, int | None]]:
        """A shipment's scans but its booking: code and container."""
        with self.desk.database.unit_of_work(self.desk.logins.tenant_id) as session:
            rows = session.execute(
                sa.select(ScanRecord.code, ScanRecord.container_id)
                .where(ScanRecord.shipment_id == shipment.id, ScanRecord.code != "booked")
                .order_by(ScanRecord.occurred_at, ScanRecord.scan_key)
            )
            return [(code.value, container_id) for code, container_id in rows]

    def findings(self, shipment: Shipment) -> set[str]:
        """The kinds of what the dock found about a shipment and nobody has settled."""
        with self.desk.database.unit_of_work(self.desk.logins.tenant_id) as session:
            rows = session.scalars(
                sa.select(ShipmentFinding.kind).where(
                    ShipmentFinding.shipment_id == shipment.id,
                    ShipmentFinding.closed_at.is_(None),
                    ShipmentFinding.finding_key.startswith("container:"),
                )
            )
            return {kind.value for kind in rows}


@pytest.fixture(scope="module")
def dock(desk: Desk) -> Dock:
    """The module's dock."""
    return Dock(desk)
