"""What a customer may expect of the courier on his way to him: a window, and how many stops before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import execute_plain
from app.shipments.models import Shipment
from tracking.shipment import Milestone

COURIER_COMES: Final = (Milestone.BOOKED, Milestone.OUT_FOR_DELIVERY)
"""While it stands so, a courier comes for it or with it."""

# The ids come from rows that the tenant's session has read. Who is held by another is told a moment later,
# with the next news of the round: nobody waits for that.
_HELD = """
    SELECT shipment_id FROM shipment_state
    WHERE shipment_id = ANY (%s::bigint[])
    ORDER BY shipment_id FOR NO KEY UPDATE SKIP LOCKED
"""
_TELL = f"""
    WITH held AS MATERIALIZED ({_HELD})
    UPDATE shipment_state AS state
    SET round_from_at = told.from_at, round_to_at = told.to_at, stops_away = told.stops_away
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::smallint[])
        AS told (shipment_id, from_at, to_at, stops_away)
    JOIN held ON held.shipment_id = told.shipment_id
    WHERE state.shipment_id = told.shipment_id
        AND (state.round_from_at, state.round_to_at, state.stops_away)
            IS DISTINCT FROM (told.from_at, told.to_at, told.stops_away)
    RETURNING state.shipment_id
"""  # noqa: S608
_CLEAR = f"""
    WITH held AS MATERIALIZED ({_HELD})
    UPDATE shipment_state AS state SET round_from_at = NULL, round_to_at = NULL, stops_away = NULL
    FROM held WHERE state.shipment_id = held.shipment_id AND state.round_to_at IS NOT NULL
    RETURNING state.shipment_id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class CourierComes:
    """When a courier is expected at a parcel's door.

    Attributes:
        from_at, to_at: the window (UTC).
        stops_away: how many stops he makes before; 0: it is the next one; None: too many to say.
    """

    from_at: datetime
    to_at: datetime
    stops_away: int | None

    def __post_init__(self) -> None:
        if self.from_at >= self.to_at:
            raise ValueError("a window ends after it begins")


def courier_comes(shipment: Shipment, *, now: datetime) -> CourierComes | None:
    """When the courier of a round is expected; None while none is on his way, or once the window is over."""
    from_at, to_at = shipment.round_from_at, shipment.round_to_at
    if from_at is None or to_at is None or to_at <= now or shipment.milestone not in COURIER_COMES:
        return None
    return CourierComes(from_at, to_at, shipment.stops_away)


def tell_rounds(session: Session, told: Sequence[tuple[int, CourierComes]]) -> int:
    """Write down when couriers are expected; gives for how many shipments that is news."""
    if not told:
        return 0
    ids = arrays.numbers([shipment_id for shipment_id, _comes in told])
    values = (
        ids,
        ids,
        arrays.moments([comes.from_at for _id, comes in told]),
        arrays.moments([comes.to_at for _id, comes in told]),
        arrays.numbers([comes.stops_away for _id, comes in told]),
    )
    return len(execute_plain(session, _TELL, values))


def clear_rounds(session: Session, shipment_ids: Collection[int]) -> int:
    """No courier is on his way to these any more; gives for how many that is news."""
    if not shipment_ids:
        return 0
    ids = arrays.numbers(sorted(shipment_ids))
    return len(execute_plain(session, _CLEAR, (ids,)))
