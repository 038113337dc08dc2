"""What needs a person: findings about a parcel at a moment.

Each finding has a key that stays the same as long as the matter stays the same, so that it is opened once;
when `watch` no longer returns it, the matter has closed itself.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracking.errors import ScanError
from tracking.finding import Finding, FindingKind
from tracking.promise import Promise
from tracking.shipment import Leg, Milestone, Scan, require_utc
from tracking.state import ShipmentState
from tracking.summary import mark_of
from tracking.transitions import PLACELESS

CONFIRM_WITHIN_S = 3 * 86_400
PICKUP_WITHIN_S = 2 * 86_400
QUIET_S = 2 * 86_400
"""How long nothing may be heard of a parcel where its plan does not say better."""


@dataclass(frozen=True, slots=True)
class MissingPiece:
    """A parcel that was expected in a container and was not in it when that was opened."""

    container_id: int
    since: datetime
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShipmentView:
    """What the watch looks at: one parcel and what was planned and promised for it.

    Attributes:
        state: as `tracking.lifecycle.fold` gives it for `scans`.
        scans: that count (no voided ones), in any order.
        legs: the planned route in order; empty where there is none, which switches off `MISROUTED`.
        points: facilities beside its route where it may be: where it changes hands with its customers.
        promised_at: what the customer was told, or None.
        estimate: what is expected now, or None.
        quiet_until: by when 95 % of parcels are heard of again from where this one is
            (`tracking.promise.heard_again_by`); None, or a time before the last scan, where that is not
            known, and `QUIET_S` after the last scan counts.
        missing: from `tracking.containers.expected_against_scanned`.
    """

    state: ShipmentState
    scans: tuple[Scan, ...]
    legs: tuple[Leg, ...] = ()
    points: frozenset[int] = frozenset()
    promised_at: datetime | None = None
    estimate: Promise | None = None
    quiet_until: datetime | None = None
    missing: tuple[MissingPiece, ...] = ()
    confirm_within_s: int = CONFIRM_WITHIN_S
    pickup_within_s: int = PICKUP_WITHIN_S

    def __post_init__(self) -> None:
        for moment, name in ((self.promised_at, "promised_at"), (self.quiet_until, "quiet_until")):
            if moment is not None:
                require_utc(moment, name)
        if self.state.scan_count != len(self.scans):
            raise ScanError(f"the state is of {self.state.scan_count} scans, not of {len(self.scans)}")


def watch(view: ShipmentView, now: datetime) -> tuple[Finding, ...]:
    """Return what needs a person about one parcel at `now` (UTC), in a fixed order.

    The findings of the fold itself are in `view.state.findings` and are not repeated here.
    """
    require_utc(now, "now")
    if view.state.milestone is Milestone.DELIVERED:
        return _unconfirmed(view, now)
    if view.state.terminal:
        return ()
    scans = sorted(view.scans, key=mark_of)
    return (
        *_late(view, now),
        *_stuck(view, scans, now),
        *_misrouted(view, scans),
        *_missing(view, scans),
        *_overdue(view, now),
    )


def _deciding(view: ShipmentView) -> tuple[str, ...]:
    return () if view.state.decided_by is None else (view.state.decided_by,)


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())


def _late(view: ShipmentView, now: datetime) -> tuple[Finding, ...]:
    promised_at = view.promised_at
    # What goes back to its sender, or waits to be fetched, no longer owes its consignee a time.
    if promised_at is None or view.state.milestone in (Milestone.RETURNING, Milestone.READY_FOR_PICKUP):
        return ()
    if now > promised_at:
        parameters = (("late_s", _seconds(now - promised_at)),)
        return (Finding("late", FindingKind.LATE, promised_at, _deciding(view), parameters),)
    if view.estimate is not None and view.estimate.p50_at > promised_at:
        parameters = (("late_s", _seconds(view.estimate.p50_at - promised_at)),)
        since = view.state.since or now
        return (Finding("expected_late", FindingKind.EXPECTED_LATE, since, _deciding(view), parameters),)
    return ()


def _stuck(view: ShipmentView, scans: list[Scan], now: datetime) -> tuple[Finding, ...]:
    moved = [scan for scan in scans if scan.code not in PLACELESS]
    if not moved or view.state.milestone is Milestone.READY_FOR_PICKUP:
        return ()
    last = moved[-1]
    heard_at = mark_of(last)[0]
    since = heard_at + timedelta(seconds=QUIET_S)
    if view.quiet_until is not None and view.quiet_until > heard_at:
        since = view.quiet_until
    if now <= since:
        return ()
    parameters: list[tuple[str, str | int]] = [
        ("silent_s", _seconds(now - heard_at)),
        ("quiet_s", _seconds(since - heard_at)),
    ]
    if last.facility_id is not None:
        parameters.append(("facility_id", last.facility_id))
    key = f"stuck:{last.scan_id}"
    return (Finding(key, FindingKind.STUCK, since, (last.scan_id,), tuple(parameters)),)


def _misrouted(view: ShipmentView, scans: list[Scan]) -> tuple[Finding, ...]:
    route = {leg.from_facility_id for leg in view.legs} | {leg.to_facility_id for leg in view.legs}
    if not route or view.state.milestone is Milestone.RETURNING:
        return ()
    allowed = route | view.points
    astray: list[tuple[Scan, int]] = []
    for scan in reversed(scans):
        if scan.facility_id is None or scan.code in PLACELESS:
            continue
        if scan.facility_id in allowed:
            break
        astray.append((scan, scan.facility_id))
    if not astray:
        return ()
    (first, _), (_, facility_id) = astray[-1], astray[0]
    parameters = (("facility_id", facility_id), ("expected_facility_id", view.legs[-1].to_facility_id))
    evidence = tuple(scan.scan_id for scan, _ in reversed(astray))
    key = f"misrouted:{first.scan_id}"
    return (Finding(key, FindingKind.MISROUTED, mark_of(first)[0], evidence, parameters),)


def _missing(view: ShipmentView, scans: list[Scan]) -> tuple[Finding, ...]:
    """A piece is missing from a container until it is seen by itself after that."""
    seen_at = max(
        (mark_of(scan)[0] for scan in scans if scan.container_id is None and scan.code not in PLACELESS),
        default=None,
    )
    return tuple(
        Finding(
            f"missing_from_container:{piece.container_id}",
            FindingKind.MISSING_FROM_CONTAINER,
            piece.since,
            piece.evidence,
            (("container_id", piece.container_id),),
        )
        for piece in view.missing
        if seen_at is None or seen_at <= piece.since
    )


def _overdue(view: ShipmentView, now: datetime) -> tuple[Finding, ...]:
    state = view.state
    if state.milestone is not Milestone.READY_FOR_PICKUP or state.since is None:
        return ()
    due_at = state.since + timedelta(seconds=view.pickup_within_s)
    if now <= due_at:
        return ()
    parameters = (("overdue_s", _seconds(now - due_at)),)
    return (Finding("pickup_overdue", FindingKind.PICKUP_OVERDUE, due_at, _deciding(view), parameters),)


def _unconfirmed(view: ShipmentView, now: datetime) -> tuple[Finding, ...]:
    state = view.state
    if state.confirmed_at is not None or state.delivered_at is None:
        return ()
    due_at = state.delivered_at + timedelta(seconds=view.confirm_within_s)
    if now <= due_at:
        return ()
    parameters = (("delivered_s", _seconds(now - state.delivered_at)),)
    return (Finding("unconfirmed", FindingKind.UNCONFIRMED, due_at, _deciding(view), parameters),)
