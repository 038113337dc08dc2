"""The clock's work on customers: one-time codes are cleared away."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.config import Settings
from app.customers import registration


def drop_old_challenges(session: Session, _settings: Settings, now: datetime) -> int:
    """Clear away one-time codes a day after they were made; the session sees every tenant."""
    return registration.drop_old_challenges(session, now=now)
