"""The journal of a plan: who changed what and when, the version it made, and what came since one was seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from app.accounts.models import AuditEntry, User
from app.accounts.service import audit
from app.actor import Actor
from app.config import Settings
from app.db.session import tenant_of
from app.dispatch.edit_models import EditState, PlanEdit
from app.dispatch.models import Courier, Plan, StopRequest
from app.dispatch.snapshot import Snapshot, changed_parts, snapshot, stops_in
from app.errors import StaleVersionError

EDITS_KEPT = timedelta(days=30)
"""How long after its day a plan keeps what was changed in it by hand."""
_CHANGES_TOLD = 20
_EDITS_TOLD = 200


@dataclass(frozen=True, slots=True)
class Named:
    """An edit with the names that its details stand for."""

    edit: PlanEdit
    by: str
    stop: str | None
    from_courier: str | None
    to_courier: str | None


def lock_plan(session: Session, plan: Plan, version: int | None) -> None:
    """Wait for whoever is changing a plan, look at it again, and see that nobody was quicker.

    Raises:
        StaleVersionError: somebody was; `changes` says who did what since, with names.
    """
    session.refresh(plan, with_for_update=True)
    if version is not None and plan.version != version:
        raise StaleVersionError(
            "somebody else has changed this plan since you loaded it",
            version=plan.version,
            changes=changes_since(session, plan, version),
        )


def record(
    session: Session, actor: Actor | None, plan: Plan, action: str, now: datetime, details: dict[str, Any]
) -> None:
    """Write down what was done to a plan, with the version it made; no `actor` where nobody did."""
    flag_modified(plan, "cost_minor")  # the version counts every change, also one that costs nothing
    session.flush()  # gives the version
    audit(
        session,
        actor,
        action,
        subject_kind="plan",
        subject_id=plan.id,
        now=now,
        details={**details, "version": plan.version},
    )


def record_edit(
    session: Session,
    actor: Actor,
    plan: Plan,
    before: Snapshot,
    *,
    action: str,
    now: datetime,
    details: dict[str, Any],
) -> None:
    """Write down a change by hand so that it can be taken back; what was taken back before it is history.

    Args:
        session: of the plan's tenant.
        actor: who made it.
        plan: changed, and locked.
        before: how the plan stood.
        action: what it was.
        now: the present moment.
        details: ids of the stop and the couriers.
    """
    record(session, actor, plan, action, now, details)
    close_edits(session, plan, (EditState.UNDONE,))
    was, is_now = changed_parts(before, snapshot(plan))
    session.add(
        PlanEdit(
            tenant_id=tenant_of(session),
            plan_id=plan.id,
            state=EditState.APPLIED,
            action=action,
            made_by_id=actor.user_id,
            made_at=now,
            version=plan.version,
            details=details,
            before=was,
            after=is_now,
        )
    )


def close_edits(session: Session, plan: Plan, states: Sequence[EditState]) -> None:
    """Make edits history: they can neither be taken back nor made again."""
    session.execute(
        sa.update(PlanEdit)
        .where(PlanEdit.plan_id == plan.id, PlanEdit.state.in_(states))
        .values(state=EditState.CLOSED)
    )


def close_edits_of(session: Session, plan: Plan, stop_ids: Collection[int]) -> None:
    """Make history of edits that would bring back stops which are gone, and with them of those that they bar.

    Edits are taken back from the last to the first and made again from the first to the last: those before
    such an edit can no longer be taken back, and those after it can no longer be made again.
    """
    edits = session.scalars(
        sa.select(PlanEdit)
        .where(PlanEdit.plan_id == plan.id, PlanEdit.state.in_((EditState.APPLIED, EditState.UNDONE)))
        .order_by(PlanEdit.id)
    ).all()
    barred = [one for one in edits if not _named_in(one).isdisjoint(stop_ids)]
    last = max((one.id for one in barred if one.state is EditState.APPLIED), default=None)
    first = min((one.id for one in barred if one.state is EditState.UNDONE), default=None)
    for one in edits:
        applied = one.state is EditState.APPLIED
        if (applied and last is not None and one.id <= last) or (
            not applied and first is not None and one.id >= first
        ):
            one.state = EditState.CLOSED


def _named_in(edit: PlanEdit) -> frozenset[int]:
    """Every stop that an edit found or left in a round, or listed as unserved."""
    return frozenset().union(
        *(stops_in(part) | {int(key) for key in part["unserved"]} for part in (edit.before, edit.after))
    )


def forget_edits(session: Session, _settings: Settings, now: datetime) -> int:
    """Drop the edits of plans whose day is long over; the session sees every tenant.

    They hold whole rounds so that they can be taken back, which nobody can any more; who did what stays in
    the audit trail.
    """
    over = sa.select(Plan.id).where(Plan.day < (now - EDITS_KEPT).date())
    dropped = session.execute(sa.delete(PlanEdit).where(PlanEdit.plan_id.in_(over)).returning(PlanEdit.id))
    return len(dropped.all())


def next_to_undo(session: Session, plan_id: int) -> PlanEdit | None:
    """The last edit that stands in a plan; None where nothing can be taken back."""
    return session.scalar(
        sa.select(PlanEdit)
        .where(PlanEdit.plan_id == plan_id, PlanEdit.state == EditState.APPLIED)
        .order_by(PlanEdit.id.desc())
        .limit(1)
    )


def next_to_redo(session: Session, plan_id: int) -> PlanEdit | None:
    """The edit that was taken back last; None where nothing can be made again."""
    return session.scalar(
        sa.select(PlanEdit)
        .where(PlanEdit.plan_id == plan_id, PlanEdit.state == EditState.UNDONE)
        .order_by(PlanEdit.id)
        .limit(1)
    )


def edits_of(session: Session, plan_id: int) -> list[Named]:
    """The newest edits of a plan, latest first, with names."""
    rows = session.execute(
        sa.select(PlanEdit, User.name)
        .join(User, User.id == PlanEdit.made_by_id)
        .where(PlanEdit.plan_id == plan_id)
        .order_by(PlanEdit.id.desc())
        .limit(_EDITS_TOLD)
    ).all()
    return named(session, [(edit, by) for edit, by in rows])


def named(session: Session, edits: Iterable[tuple[PlanEdit, str]]) -> list[Named]:
    """Edits with the names of their stops and couriers, in two statements."""
    listed = list(edits)
    names = _Names.of(session, [edit.details for edit, _by in listed])
    return [
        Named(
            edit,
            by,
            names.stop(edit.details),
            names.courier(edit.details, "from_courier_id"),
            names.courier(edit.details, "to_courier_id"),
        )
        for edit, by in listed
    ]


def changes_since(session: Session, plan: Plan, version: int) -> list[dict[str, Any]]:
    """Who did what to a plan after a version, latest first: with ids, and with names for people."""
    rows = session.execute(
        sa.select(AuditEntry.action, AuditEntry.at, AuditEntry.details, User.name)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .where(
            AuditEntry.subject_kind == "plan",
            AuditEntry.subject_id == plan.id,
            AuditEntry.details["version"].as_integer() > version,
        )
        .order_by(AuditEntry.id.desc())
        .limit(_CHANGES_TOLD)
    ).all()
    names = _Names.of(session, [row.details for row in rows])
    return [
        {
            "action": row.action,
            "at": row.at.isoformat(),
            "by": row.name,
            "details": row.details,
            "stop": names.stop(row.details),
            "from_courier": names.courier(row.details, "from_courier_id"),
            "to_courier": names.courier(row.details, "to_courier_id"),
        }
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class _Names:
    stops: Mapping[int, str]
    couriers: Mapping[int, str]

    @classmethod
    def of(cls, session: Session, details: Sequence[Mapping[str, Any]]) -> _Names:
        stop_ids = {one["stop_id"] for one in details if one.get("stop_id") is not None}
        keys = ("from_courier_id", "to_courier_id")
        courier_ids = {one[key] for one in details for key in keys if one.get(key) is not None}
        stops = session.execute(
            sa.select(StopRequest.id, StopRequest.contact_name, StopRequest.address).where(
                StopRequest.id.in_(stop_ids)
            )
        )
        couriers = session.execute(sa.select(Courier.id, Courier.name).where(Courier.id.in_(courier_ids)))
        return cls(
            {row.id: f"{row.contact_name}, {row.address}" for row in stops},
            {row.id: row.name for row in couriers},
        )

    def stop(self, details: Mapping[str, Any]) -> str | None:
        return self.stops.get(details.get("stop_id", 0))

    def courier(self, details: Mapping[str, Any], key: str) -> str | None:
        return self.couriers.get(details.get(key) or 0)
