"""A scan of a container's outside: what is inside at that moment moves with it.

Each such scan is kept once, and becomes a scan of every piece inside, whose keys follow from its own: sent
again it finds them all there. A scan that corrects another corrects what that one had meant. What it says of
the container itself is its status from then on.

Locks are taken in this order: containers by id, scans by key, shipments by id (by the fold).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.roles import Role
from app.actor import Actor
from app.db import arrays
from app.db.session import execute_plain, tenant_of
from app.shipments import inside, outside_status
from app.shipments.container_models import Container, ContainerScan
from app.shipments.scan_values import Heard, Refusal, Refused, ScanResult
from tracking.containers import CARRIED_INSIDE, OUTSIDE_ONLY
from tracking.numbers import container_number_in
from tracking.shipment import Scan, ScanCode

Fresh = Mapping[int, Sequence[Scan]]
"""Scans that were stored just now, by shipment, as the fold takes them."""


class OuterContent(NamedTuple):
    """What may not differ when a scan of an outside is sent again."""

    container_id: int
    code: ScanCode
    occurred_at: datetime
    corrects: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of scans of outsides, by their place in the batch, and what they meant inside."""

    results: Mapping[int, ScanResult] = field(default_factory=dict)
    fresh: Fresh = field(default_factory=dict)


NOTHING = Moved()
"""No scan was of a container."""


def record(session: Session, actor: Actor | None, heard: Mapping[int, Heard], now: datetime) -> Moved:
    """Take those scans whose number is a container's, and move what is inside.

    Args:
        session: of the scans' tenant.
        actor: whose device sends them; None for the service itself.
        heard: well-formed scans whose number is no shipment's, by their place in the batch.
        now: the server's time.

    Returns:
        One result for each scan of a container; the others are not in it. The inner scans are stored, and
        are the caller's to fold.
    """
    numbers = {place: container_number_in(one.number) for place, one in heard.items()}
    asked = {number for number in numbers.values() if number is not None}
    if not asked:
        return NOTHING
    known = dict(
        session.execute(sa.select(Container.number, Container.id).where(Container.number.in_(asked))).all()
    )
    outer = {
        place: (known[number], heard[place])
        for place, number in numbers.items()
        if number is not None and number in known
    }
    if not outer:
        return NOTHING
    lock(session, {container_id for container_id, _one in outer.values()})
    refused = _refusals(session, actor, outer)
    good = {place: one for place, one in outer.items() if place not in refused}
    recorded = _insert(session, actor, good.values(), now)
    pieces: dict[str, int] = {}
    fresh: defaultdict[int, list[Scan]] = defaultdict(list)
    first = {one.key: (container_id, one) for container_id, one in reversed(list(good.values()))}
    for key in sorted(recorded, key=lambda key: (first[key][1].scan.occurred_at, key)):
        container_id, one = first[key]
        inner = inside.meaning(session, _as_scan(container_id, one, now))
        stored = inside.store(session, None if actor is None else actor.user_id, inner, now)
        pieces[key] = len(inner)
        for shipment_id, scans in stored.items():
            fresh[shipment_id] += scans
    outside_status.follow(session, {first[key][0] for key in recorded})
    return Moved(_results(session, outer, refused, recorded, pieces), fresh)


def lock(session: Session, container_ids: Collection[int]) -> None:
    """Let nobody else pack or move these containers until the transaction ends."""
    execute_plain(
        session,
        "SELECT FROM container WHERE tenant_id = %s AND id = ANY (%s::bigint[]) "
        "ORDER BY id FOR NO KEY UPDATE",
        (tenant_of(session), arrays.numbers(sorted(container_ids))),
    )


def _as_scan(container_id: int, one: Heard, now: datetime) -> Scan:
    """A scan of an outside as the engine takes it."""
    scan = one.scan
    return Scan(
        one.key,
        one.code,
        scan.occurred_at.astimezone(UTC),
        scan.offset_minutes,
        now.astimezone(UTC),
        scan.device_id,
        scan.client_scan_id,
        one.facility_id,
        one.courier_id,
        container_id,
        scan.reason,
        scan.corrects,
    )


def _refusals(
    session: Session, actor: Actor | None, outer: Mapping[int, tuple[int, Heard]]
) -> dict[int, Refusal]:
    """Why scans cannot be said of an outside, by their place in the batch."""
    found: dict[int, Refusal] = {}
    foreign = _foreign_targets(session, actor, [one for _id, one in outer.values()])
    for place, (_container_id, one) in outer.items():
        if one.code not in CARRIED_INSIDE | OUTSIDE_ONLY:
            found[place] = (
                Refused.NOT_OF_A_CONTAINER,
                f"{one.code} is said of parcels, not of what holds them",
            )
        elif one.scan.piece_no is not None:
            found[place] = (Refused.UNKNOWN_PIECE, "a container has no pieces of its own")
        elif one.scan.corrects in foreign:
            found[place] = (Refused.NOT_YOURS, "this login corrects its own scans only")
    return found


def _foreign_targets(session: Session, actor: Actor | None, heard: Iterable[Heard]) -> set[str | None]:
    """Of the scans to be corrected those that are of another facility or courier than the login's."""
    if actor is None or actor.subject_id is None or actor.role not in (Role.HUB, Role.COURIER):
        return set()
    targets = {one.scan.corrects for one in heard if one.scan.corrects is not None}
    if not targets:
        return set()
    whose = ContainerScan.facility_id if actor.role == Role.HUB else ContainerScan.courier_id
    statement = sa.select(ContainerScan.scan_key).where(
        ContainerScan.scan_key.in_(targets), whose.is_distinct_from(actor.subject_id)
    )
    return set(session.scalars(statement))


def _insert(
    session: Session, actor: Actor | None, good: Iterable[tuple[int, Heard]], now: datetime
) -> set[str]:
    """Keep what is new, in the order of the keys; gives the keys of what went in."""
    rows = {
        one.key: {
            "tenant_id": tenant_of(session),
            "scan_key": one.key,
            "container_id": container_id,
            "device_id": one.scan.device_id,
            "client_scan_id": one.scan.client_scan_id,
            "code": one.code,
            "occurred_at": one.scan.occurred_at,
            "offset_minutes": one.scan.offset_minutes,
            "received_at": now,
            "facility_id": one.facility_id,
            "courier_id": one.courier_id,
            "user_id": None if actor is None else actor.user_id,
            "reason": one.scan.reason,
            "corrects": one.scan.corrects,
        }
        for container_id, one in reversed(list(good))
    }
    if not rows:
        return set()
    statement = insert(ContainerScan).values([rows[key] for key in sorted(rows)])
    return set(session.scalars(statement.on_conflict_do_nothing().returning(ContainerScan.scan_key)))


def _results(
    session: Session,
    outer: Mapping[int, tuple[int, Heard]],
    refused: Mapping[int, Refusal],
    recorded: set[str],
    pieces: Mapping[str, int],
) -> dict[int, ScanResult]:
    again = {one.key for place, (_id, one) in outer.items() if place not in refused}
    rows = session.scalars(sa.select(ContainerScan).where(ContainerScan.scan_key.in_(again)))
    kept = {
        row.scan_key: OuterContent(row.container_id, row.code, row.occurred_at, row.corrects) for row in rows
    }
    results: dict[int, ScanResult] = {}
    left = set(recorded)
    for place, (container_id, one) in outer.items():
        scan = one.scan
        if place in refused:
            reason, detail = refused[place]
            results[place] = ScanResult(
                "rejected", scan.client_scan_id, scan.number, reason=reason, detail=detail
            )
            continue
        moved = pieces.get(one.key)
        # The same scan twice in one batch: the second is compared with the first.
        if OuterContent(container_id, one.code, scan.occurred_at, scan.corrects) != kept[one.key]:
            detail = "this device sent other content under the same client_scan_id before; that stays"
            results[place] = ScanResult("conflict", scan.client_scan_id, one.number, one.key, detail=detail)
        else:
            status = "recorded" if one.key in left else "duplicate"
            left.discard(one.key)
            results[place] = ScanResult(status, scan.client_scan_id, one.number, one.key, moved=moved)
    return results
