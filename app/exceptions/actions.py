"""What a person does about findings: about many at once, each with a result of its own.

One that cannot be done stops no other: what is refused is said, row by row, and nothing else is claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.accounts.service import audit
from app.actor import Actor
from app.db.session import tenant_of
from app.errors import AppError, ForbiddenError, InvalidInputError
from app.exceptions import queries
from app.servicedesk import service as servicedesk
from app.servicedesk.values import CaseCategory, CaseChannel
from app.shipments import service as shipments
from app.shipments.finding_models import FindingNote, ShipmentFinding
from app.shipments.models import Shipment
from app.shipments.replanning import replan_chosen
from app.shipments.service import ScanInput
from tracking.finding import FindingKind
from tracking.shipment import ScanCode

AT_ONCE_MAX = 500
_BODY_LENGTH_MAX = 4000
_DEVICE = "exceptions"


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one finding: `done` or not, and the word that says which way or why not."""

    finding_id: int
    done: bool
    outcome: str
    waybill_number: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """Findings to be worked on together: the standing ones among those asked for, and their shipments."""

    session: Session
    actor: Actor
    findings: Sequence[ShipmentFinding]
    shipments: dict[int, Shipment]
    now: datetime


# Gives the outcome of each finding by its id: the word, whether it is done, and what it refers to.
Outcomes = dict[int, tuple[str, bool, str | None]]
Action = Callable[[Work], Outcomes]


def act(
    session: Session, actor: Actor, finding_ids: Sequence[int], action: Action, *, now: datetime
) -> list[RowResult]:
    """Do something about findings.

    Args:
        session: of the asker's tenant.
        actor: who does it; needs the scope `exceptions:write`, and whatever the action needs besides.
        finding_ids: at most `AT_ONCE_MAX`; each counts once.
        action: as one of the functions of this file makes it.
        now: the present moment.

    Returns:
        One result for each finding, in the order asked for: `not_found`, `closed`, or the action's own word.

    Raises:
        ForbiddenError: the asker may not do this at all.
        InvalidInputError: there are too many, or the action's own input is wrong.
    """
    queries.require_staff(actor)
    if not actor.may(Scope.EXCEPTIONS_WRITE):
        raise ForbiddenError("this needs the scope exceptions:write")
    wanted = list(dict.fromkeys(finding_ids))
    if len(wanted) > AT_ONCE_MAX:
        raise InvalidInputError(f"at most {AT_ONCE_MAX} findings at once")
    found = queries.locked(session, actor, wanted)
    standing = [finding for finding in found.values() if finding.closed_at is None]
    of = queries.shipments_of(session, list(found.values()))
    outcomes = action(Work(session, actor, standing, of, now))
    results = []
    for finding_id in wanted:
        finding = found.get(finding_id)
        if finding is None:
            results.append(RowResult(finding_id, False, "not_found"))
            continue
        word, done, reference = outcomes.get(finding_id, ("closed", False, None))
        number = of[finding.shipment_id].waybill_number
        results.append(RowResult(finding_id, done, word, number, reference))
    return results


def assign(user_id: int | None) -> Action:
    """Give findings to somebody of the staff, or to nobody."""

    def run(work: Work) -> Outcomes:
        if user_id is not None and user_id not in {user.id for user in queries.staff(work.session)}:
            raise InvalidInputError(
                "nobody of the staff has this login", [{"detail": "is unknown", "pointer": "/assignee_id"}]
            )
        for finding in work.findings:
            finding.assignee_id = user_id
            _write_down(work, finding, "finding.assigned", {"assignee_id": user_id})
        return _all(work, "assigned" if user_id is not None else "unassigned")

    return run


def note(body: str) -> Action:
    """Write something down about findings."""
    words = _words(body)

    def run(work: Work) -> Outcomes:
        work.session.add_all(
            FindingNote(
                tenant_id=tenant_of(work.session),
                finding_id=finding.id,
                user_id=work.actor.user_id,
                body=words,
                at=work.now,
            )
            for finding in work.findings
        )
        return _all(work, "noted")

    return run


def acknowledge() -> Action:
    """Say that findings were seen, and see to them oneself where nobody does."""

    def run(work: Work) -> Outcomes:
        for finding in work.findings:
            finding.acknowledged_at = finding.acknowledged_at or work.now
            if finding.assignee_id is None:
                finding.assignee_id = work.actor.user_id
            _write_down(work, finding, "finding.acknowledged", {})
        return _all(work, "acknowledged")

    return run


def snooze(until: datetime | None) -> Action:
    """Put findings aside until a moment to come; None takes them up again."""

    def run(work: Work) -> Outcomes:
        if until is not None and until <= work.now:
            raise InvalidInputError(
                "that is past", [{"detail": "must be in the future", "pointer": "/until"}]
            )
        for finding in work.findings:
            finding.snoozed_until = until
            told = None if until is None else until.isoformat()
            _write_down(work, finding, "finding.snoozed", {"until": told})
        return _all(work, "taken_up" if until is None else "put_aside")

    return run


def replan(reason: str) -> Action:
    """Plan the shipments anew from where they are."""

    def run(work: Work) -> Outcomes:
        if not work.actor.may(Scope.DISPATCH_WRITE):
            raise ForbiddenError("this needs the scope dispatch:write")
        ids = {finding.shipment_id for finding in work.findings}
        became = replan_chosen(work.session, sorted(ids), reason=reason.strip(), now=work.now)
        for finding in work.findings:
            _write_down(work, finding, "finding.replanned", {"outcome": became[finding.shipment_id]})
        return {
            finding.id: (became[finding.shipment_id], became[finding.shipment_id] == "replanned", None)
            for finding in work.findings
        }

    return run


def open_case(body: str) -> Action:
    """Open a case about each shipment on the record of its customer; several findings share one."""
    words = _words(body)

    def run(work: Work) -> Outcomes:
        if not work.actor.may(Scope.CASES_WRITE):
            raise ForbiddenError("this needs the scope cases:write")
        opened: dict[int, tuple[str, bool, str | None]] = {}
        for finding in work.findings:
            if finding.shipment_id in opened:
                continue
            shipment = work.shipments[finding.shipment_id]
            try:
                with work.session.begin_nested():
                    case = servicedesk.open_case(
                        work.session,
                        customer_id=shipment.customer_id,
                        shipment_id=shipment.id,
                        channel=CaseChannel.PORTAL,
                        category=_CATEGORIES.get(finding.kind, CaseCategory.OTHER),
                        body=words,
                        actor=work.actor,
                        now=work.now,
                    )
                    opened[shipment.id] = ("case_opened", True, case.number)
            except AppError as error:
                opened[shipment.id] = (error.extra.get("reason", error.code), False, None)
        return {finding.id: opened[finding.shipment_id] for finding in work.findings}

    return run


def record(code: ScanCode, facility_id: int | None) -> Action:
    """Record a scan of each shipment: that it was found (`ARRIVED`) at a facility, or is lost (`LOST`)."""
    if code not in (ScanCode.ARRIVED, ScanCode.LOST):
        raise InvalidInputError("found or lost", [{"detail": "is neither", "pointer": "/code"}])

    def run(work: Work) -> Outcomes:
        place_id = facility_id or (work.actor.subject_id if work.actor.role == "hub" else None)
        if code is ScanCode.ARRIVED and place_id is None:
            raise InvalidInputError("say where", [{"detail": "is missing", "pointer": "/facility_id"}])
        first = {finding.shipment_id: finding for finding in reversed(work.findings)}
        scans = [_scan(work, finding, code, place_id) for finding in first.values()]
        results = shipments.record_scans(work.session, work.actor, scans, now=work.now)
        words = {
            shipment_id: (
                result.status if result.reason is None else result.reason.value,
                result.status == "recorded",
                result.scan_key,
            )
            for shipment_id, result in zip(first, results, strict=True)
        }
        return {finding.id: words[finding.shipment_id] for finding in work.findings}

    return run


# A case is about what was found, where the desk has a word for it.
_CATEGORIES = {
    FindingKind.LATE: CaseCategory.LATE,
    FindingKind.EXPECTED_LATE: CaseCategory.LATE,
    FindingKind.STUCK: CaseCategory.LATE,
    FindingKind.MISROUTED: CaseCategory.LATE,
    FindingKind.MISSING_FROM_CONTAINER: CaseCategory.LOST,
    FindingKind.UNCONFIRMED: CaseCategory.NOT_RECEIVED,
}


def _scan(work: Work, finding: ShipmentFinding, code: ScanCode, facility_id: int | None) -> ScanInput:
    shipment = work.shipments[finding.shipment_id]
    return ScanInput(
        number=shipment.waybill_number,
        code=code,
        occurred_at=work.now,
        offset_minutes=shipment.booked_offset_minutes,
        device_id=f"{_DEVICE}-{work.actor.user_id}",
        client_scan_id=f"{finding.id}-{code.value}-{int(work.now.timestamp())}",
        facility_id=facility_id,
    )


def _all(work: Work, word: str) -> Outcomes:
    return {finding.id: (word, True, None) for finding in work.findings}


def _words(body: str) -> str:
    words = body.replace("\0", "").strip()
    if not words or len(words) > _BODY_LENGTH_MAX:
        detail = f"must have 1 to {_BODY_LENGTH_MAX} characters"
        raise InvalidInputError("say something", [{"detail": detail, "pointer": "/body"}])
    return words


def _write_down(work: Work, finding: ShipmentFinding, action: str, details: dict[str, object]) -> None:
    audit(
        work.session,
        work.actor,
        action,
        subject_kind="finding",
        subject_id=finding.id,
        details=details,
        now=work.now,
    )
