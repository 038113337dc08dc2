"""The capture worker: takes one waiting document at a time; any number of workers may run.

A document is captured in one transaction, with its row locked: a worker that dies leaves nothing behind, and
another takes the document. One that ends its worker `TRIES_MAX` times, or that the database cannot hold, has
failed.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.accounts.roles import SCOPES
from app.accounts.service import actor_of
from app.actor import Actor
from app.clock import Clock
from app.db.session import Database
from app.epcis import documents, service
from app.epcis.models import EpcisCapture
from app.epcis.planning import INVALID
from app.errors import AppError

log = structlog.get_logger(__name__)

TRIES_MAX = 3


def capture_next(database: Database, clock: Clock, *, base: str) -> bool:
    """Capture one waiting document, if there is one; True when there was.

    Args:
        database: the service's.
        clock: gives the time at which events are recorded.
        base: the URI under which our ids live, ending in a slash.
    """
    claimed = _claim(database, clock())
    if claimed is None:
        return False
    tenant_id, capture_id = claimed
    try:
        _capture(database, clock(), tenant_id, capture_id, base)
    except (AppError, DataError) as error:
        log.warning("epcis.failed", capture_id=capture_id, error=type(error).__name__)
        with database.unit_of_work(tenant_id) as session:
            capture = _waiting(session, capture_id)
            if capture is not None:
                detail = error.detail if isinstance(error, AppError) else "a value cannot be stored"
                _fail(capture, detail, clock())
    return True


def _claim(database: Database, now: datetime) -> tuple[int, int] | None:
    """The document that waits longest: its tenant and its capture."""
    with database.unit_of_work(None) as session:
        capture = session.scalar(
            sa.select(EpcisCapture)
            .where(EpcisCapture.finished_at.is_(None))
            .order_by(EpcisCapture.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if capture is None:
            return None
        if capture.tries >= TRIES_MAX:
            _fail(capture, f"the worker's process died {capture.tries} times", now)
            return None
        capture.tries += 1
        return capture.tenant_id, capture.id


def _capture(database: Database, now: datetime, tenant_id: int, capture_id: int, base: str) -> None:
    with database.unit_of_work(tenant_id) as session:
        capture = _waiting(session, capture_id)
        if capture is None or capture.document is None:
            return  # another worker has it, or had it
        opened = documents.opened(documents.decoded(capture.document))
        service.finish(session, _sender(session, capture), capture, opened, base=base, now=now)
        log.info("epcis.captured", capture_id=capture_id, captured=capture.captured, success=capture.success)


def _waiting(session: Session, capture_id: int) -> EpcisCapture | None:
    return session.scalar(
        sa.select(EpcisCapture)
        .where(EpcisCapture.id == capture_id, EpcisCapture.finished_at.is_(None))
        .with_for_update(skip_locked=True)
    )


def _sender(session: Session, capture: EpcisCapture) -> Actor:
    """Who handed the document in: no more than his token might then, nor than his role may now."""
    user = session.get_one(User, capture.user_id)
    return actor_of(user, frozenset(capture.scopes) & SCOPES[user.role], token_id=capture.token_id)


def _fail(capture: EpcisCapture, detail: str, now: datetime) -> None:
    capture.success, capture.document, capture.finished_at = False, None, now
    capture.errors = [{"type": INVALID, "title": "Not captured", "status": 400, "detail": detail}]
