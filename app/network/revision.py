"""Every write to the network gives it another revision, and parcels on their way are told of it.

The revision's row is locked until the caller's transaction ends, so writers of one network follow each other.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.actor import Actor
from app.db import outbox
from app.db.session import tenant_of
from app.network.models import NetworkRevision


def touch(session: Session) -> None:
    """Say that the network is no longer what it was."""
    revision = uuid.uuid4()
    session.execute(
        insert(NetworkRevision)
        .values(tenant_id=tenant_of(session), revision=revision)
        .on_conflict_do_update(index_elements=[NetworkRevision.tenant_id], set_={"revision": revision})
    )


def plan_anew(
    session: Session,
    actor: Actor,
    kind: Literal["facility", "lane"],
    subject_id: int,
    *,
    reason: str,
    now: datetime,
) -> None:
    """Have what has a facility or lane ahead of it planned by the timetable as it is now.

    What that leaves as it was stays as it was (`app.shipments.replanning`).
    """
    told = {
        "kind": kind,
        "subject_id": subject_id,
        "reason": reason,
        "user_id": actor.user_id,
        "asked_at": now.isoformat(),
    }
    outbox.append(session, "network.reopened", told, now=now)
