"""What a device sends again is answered, not done again."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.containers.naming import Named
from app.containers.values import ROWS_MAX, Deed, Item, RowResult, RowStatus
from app.db.session import tenant_of
from app.errors import ConflictError, InvalidInputError
from app.shipments.container_models import Container, PackingRecord
from tracking.containers import PackingAction, Piece


def limited(texts: Sequence[str]) -> Sequence[str]:
    """The same, unless there are too many.

    Raises:
        InvalidInputError: there are more than `ROWS_MAX`.
    """
    if len(texts) > ROWS_MAX:
        raise InvalidInputError(f"at most {ROWS_MAX} things at once")
    return texts


def told_before(
    session: Session, container: Container, action: PackingAction, deed: Deed
) -> PackingRecord | None:
    """The event that a device sent under this id already.

    Raises:
        ConflictError: it was another.
    """
    key = deed.key(tenant_of(session))
    record = session.scalar(sa.select(PackingRecord).where(PackingRecord.event_key == key))
    if record is not None and (record.container_id, record.action) != (container.id, action):
        raise ConflictError(
            "this device sent other content under the same client_event_id before; that stays"
        )
    return record


def repeated(named: Sequence[Named], record: PackingRecord, done: RowStatus) -> list[RowResult]:
    """The answer to what is sent again: what was done then, and nothing more."""
    then: set[Item] = {*map(Piece, record.shipment_ids, record.piece_nos), *record.child_ids}
    return [
        RowResult(one.number, done if one.item in then else one.refused or RowStatus.REFUSED_BEFORE)
        for one in named
    ]
