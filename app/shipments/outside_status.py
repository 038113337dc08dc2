"""The status of a container as the scans of its outside tell it: sent when it departed, received at its end.

Worked out anew from all scans that count, so that they may come in any order and be corrected. What the dock
has begun to compare stays received, whatever is said of the scan that brought it there.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from app.shipments.container_models import Container, ContainerItem, ContainerScan
from tracking.container_states import ContainerStatus, after_scan
from tracking.shipment import ScanCode


def follow(session: Session, container_ids: Collection[int]) -> None:
    """Bring containers in step with the scans of their outsides.

    Args:
        session: of the containers' tenant.
        container_ids: locked by the caller.
    """
    if not container_ids:
        return
    session.flush()  # what somebody is just doing with one of them is read again below
    containers = session.scalars(
        sa.select(Container)
        .where(Container.id.in_(container_ids), Container.status != ContainerStatus.BROKEN)
        .execution_options(populate_existing=True)
    ).all()
    said = _counting(session, container_ids)
    for container in containers:
        if not _begun(session, container):
            _restate(container, said.get(container.id, []))


def _restate(container: Container, scans: Collection[ContainerScan]) -> None:
    status = ContainerStatus.OPEN if container.sealed_at is None else ContainerStatus.SEALED
    decided: dict[ContainerStatus, ContainerScan] = {}
    # One that roams, or was received where it was not to go, has its end where the dock took it over.
    ends = {container.to_facility_id, container.received_facility_id} - {None}
    for scan in scans:
        told = after_scan(status, scan.code, at_its_end=scan.facility_id in ends)
        if told is not status:
            status = told
            decided[told] = scan
    if status is container.status:
        return
    left, came = decided.get(ContainerStatus.DISPATCHED), decided.get(ContainerStatus.RECEIVED)
    container.status = status
    container.dispatched_at = None if left is None else _at(left)
    container.received_at = None if came is None else _at(came)
    container.received_facility_id = None if came is None else came.facility_id


def _at(scan: ContainerScan) -> datetime:
    """When it counts: a clock that runs ahead tells no later time than that at which it was heard."""
    return min(scan.occurred_at, scan.received_at)


def _counting(session: Session, container_ids: Collection[int]) -> dict[int, list[ContainerScan]]:
    """The scans that nobody has declared an error, as they happened."""
    later = aliased(ContainerScan)
    corrected = sa.select(later.scan_key).where(later.corrects == ContainerScan.scan_key).exists()
    found: dict[int, list[ContainerScan]] = {}
    for scan in session.scalars(
        sa.select(ContainerScan).where(
            ContainerScan.container_id.in_(container_ids),
            ContainerScan.code.in_((ScanCode.DEPARTED, ScanCode.ARRIVED)),
            ~corrected,
        )
    ):
        found.setdefault(scan.container_id, []).append(scan)
    for scans in found.values():
        scans.sort(key=lambda scan: (_at(scan), scan.code.rank, scan.scan_key))
    return found


def _begun(session: Session, container: Container) -> bool:
    """Whether the dock has begun to compare what came out of it."""
    if container.status is not ContainerStatus.RECEIVED:
        return False
    seen = sa.exists().where(
        ContainerItem.container_id == container.id, ContainerItem.checked_at.is_not(None)
    )
    return container.counted_at is not None or bool(session.scalar(sa.select(seen)))
