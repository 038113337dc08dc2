"""The clock of shipments, but for the watch, which has a file of its own: `watching.py`."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.shipments import merging

_MONTHS_AHEAD = 4


def find_overdue_merges(session: Session, _settings: Settings, now: datetime) -> int:
    """Tell of what is held for a merge that should have happened by now."""
    return merging.find_overdue(session, now)


def make_partitions(session: Session, _settings: Settings, now: datetime) -> int:
    """Make room for the scans of shipments booked in the months to come; gives how many months were new."""
    made: int = session.execute(
        sa.text("SELECT make_scan_partitions(:first_month, :months)"),
        {"first_month": now.astimezone(UTC).date(), "months": _MONTHS_AHEAD},
    ).scalar_one()
    return made
