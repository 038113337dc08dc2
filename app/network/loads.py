"""What comes to each sorting centre beside what it can sort: the week behind us, as it was planned."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.session import tenant_of
from app.network.models import Facility
from routing.network import FacilityKind
from routing.network.hours import MINUTES_PER_WEEK
from routing.network.queueing import Queue, queue

_WEEK_S = MINUTES_PER_WEEK * 60
# The first day of 1970 was a Thursday.
_MONDAY_S = 3 * 86_400

# The room of shipments stands on this one, not the other way round: of its tables these columns are read.
_ARRIVALS = sa.text(
    """
SELECT leg.to_facility_id, extract(epoch FROM date_bin('5 minutes', leg.planned_arrival_at, 'epoch'))::bigint,
       sum(shipment.pieces)::bigint
FROM shipment_leg AS leg JOIN shipment ON shipment.id = leg.shipment_id
WHERE leg.tenant_id = :tenant_id AND leg.to_facility_id = ANY (:centres)
  AND leg.planned_arrival_at >= :since AND leg.planned_arrival_at < :now
GROUP BY 1, 2
"""
)


@dataclass(frozen=True, slots=True)
class CentreLoad:
    """A sorting centre, what came to it in a week, and how that queued."""

    facility: Facility
    queue: Queue

    @property
    def use_percent(self) -> int:
        """The most that came in an hour, of what can be sorted in one."""
        assert self.facility.sort_per_hour is not None, "only centres with a capacity have a load"
        return 100 * self.queue.peak_per_hour // self.facility.sort_per_hour


def centre_loads(session: Session, *, now: datetime) -> list[CentreLoad]:
    """The load of each open sorting centre whose capacity is known, the fullest first.

    By the planned arrivals of the last seven days, and by the opening hours of an ordinary week.
    """
    centres = session.scalars(
        sa.select(Facility).where(
            Facility.kind.in_([kind for kind in FacilityKind if kind.sorts]),
            Facility.closed_at.is_(None),
            Facility.sort_per_hour.is_not(None),
        )
    ).all()
    came: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    rows = session.execute(
        _ARRIVALS,
        {
            "tenant_id": tenant_of(session),
            "centres": [centre.id for centre in centres],
            "since": now - timedelta(days=7),
            "now": now,
        },
    )
    for facility_id, moment_s, pieces in rows:
        came[facility_id].append((moment_s, pieces))
    found = [
        CentreLoad(centre, _queue(centre, came[centre.id], now)) for centre in centres if came[centre.id]
    ]
    return sorted(found, key=lambda one: (not one.queue.overloaded, -one.use_percent, one.facility.code))


def _queue(centre: Facility, came: list[tuple[int, int]], now: datetime) -> Queue:
    hours = centre.working_hours(())
    offset_s = round((now.astimezone(hours.zone).utcoffset() or timedelta()).total_seconds())
    moments, pieces = np.array(came, dtype=np.int64).T
    assert centre.sort_per_hour is not None, "asked for in the query"
    return queue(
        moments + offset_s + _MONDAY_S,
        pieces,
        per_hour=centre.sort_per_hour,
        period_s=_WEEK_S,
        open_s=[(start * 60, end * 60) for start, end in hours.week],
    )
