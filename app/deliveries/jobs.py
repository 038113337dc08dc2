"""The clock of the last door."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.config import Settings
from app.deliveries import cash, waiting


def reverse_voided_cash(session: Session, _settings: Settings, now: datetime) -> int:
    """Take back cash whose delivery was declared an error while another delivery stands.

    What moves the parcel is seen at once; a correction that leaves it where it is tells nobody.
    """
    return cash.reverse_voided_everywhere(session, now)


def remind_waiting(session: Session, _settings: Settings, now: datetime) -> int:
    """Remind of parcels that wait to be fetched, and record those that nobody fetched in time."""
    return waiting.remind(session, now)
