"""What a scanner read, as pieces and containers of the tenant."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.containers.values import Item, RowStatus
from app.shipments.container_models import Container
from app.shipments.values import label_number, parse_number, without_nul
from app.shipments.waybills import Known, known
from tracking.container_states import ContainerStatus
from tracking.containers import ContainerKind, Piece
from tracking.numbers import container_number_in

NUMBER_LENGTH_MAX = 200


class Child(NamedTuple):
    """A container that is named as a thing."""

    container_id: int
    kind: ContainerKind
    status: ContainerStatus


class Named(NamedTuple):
    """A thing that was named: which one it is, or why it is none."""

    number: str
    item: Item | None
    refused: RowStatus | None = None
    child: Child | None = None


def resolve(session: Session, texts: Sequence[str]) -> list[Named]:
    """Find what is named, by two statements for all; an unknown number is told as such, and none is lost."""
    plain = [without_nul(text)[:NUMBER_LENGTH_MAX] for text in texts]
    parsed = [parse_number(text) for text in plain]
    shipments = known(session, {number for number, _piece in parsed})
    boxes = {
        text: number
        for text, (waybill, _piece) in zip(plain, parsed, strict=True)
        if waybill not in shipments and (number := container_number_in(text)) is not None
    }
    children = _children(session, set(boxes.values())) if boxes else {}
    return [
        _of_container(text, boxes.get(text), children)
        if number not in shipments
        else _of_shipment(text, number, piece_no, shipments[number])
        for text, (number, piece_no) in zip(plain, parsed, strict=True)
    ]


def _children(session: Session, numbers: Collection[str]) -> dict[str, Child]:
    rows = session.execute(
        sa.select(Container.number, Container.id, Container.kind, Container.status).where(
            Container.number.in_(numbers)
        )
    )
    return {number: Child(container_id, kind, status) for number, container_id, kind, status in rows}


def _of_container(text: str, number: str | None, children: Mapping[str, Child]) -> Named:
    child = None if number is None else children.get(number)
    if number is None or child is None:
        return Named(text, None, RowStatus.UNKNOWN)
    return Named(number, child.container_id, child=child)


def _of_shipment(text: str, number: str, piece_no: int | None, shipment: Known) -> Named:
    if piece_no is None and shipment.pieces > 1:
        return Named(number, None, RowStatus.WHICH_PIECE)
    if (piece_no or 1) > shipment.pieces:
        return Named(text, None, RowStatus.UNKNOWN_PIECE)
    label = label_number(number, piece_no or 1, shipment.pieces)
    return Named(label, Piece(shipment.shipment_id, piece_no or 1))
