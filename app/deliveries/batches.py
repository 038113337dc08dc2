"""Many parcels left at points in one go: each has a result of its own, and none holds up the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.actor import Actor
from app.deliveries import handover, points
from app.deliveries.point_models import PointDeposit
from app.deliveries.points import Leaving
from app.errors import ConflictError, InvalidInputError, NotFoundError

BATCH_MAX = 100


@dataclass(frozen=True, slots=True)
class Left:
    """What became of one parcel of a batch: the deposit, or why it was not left."""

    number: str
    deposit: PointDeposit | None
    why: str | None = None


def deposit_many(
    session: Session, actor: Actor, leavings: Sequence[tuple[str, Leaving]], *, now: datetime
) -> list[Left]:
    """Leave parcels at points, in the order given.

    Args:
        session: of the parcels' tenant.
        actor: who leaves them.
        leavings: waybill number and place of each; at most `BATCH_MAX`.
        now: when.

    Raises:
        InvalidInputError: there are more than `BATCH_MAX`.
    """
    if len(leavings) > BATCH_MAX:
        raise InvalidInputError(f"at most {BATCH_MAX} parcels at once")
    found = []
    for number, left in leavings:
        try:
            with session.begin_nested():
                shipment = handover.parcel(session, number)
                found.append(Left(number, points.deposit(session, actor, shipment, left, now=now)))
        except NotFoundError:
            found.append(Left(number, None, "not_found"))
        except ConflictError as error:
            found.append(Left(number, None, error.extra.get("why", "conflict")))
    return found
