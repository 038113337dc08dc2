"""A hand-over as the courier tells it, checked when it is made."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from app.deliveries.door_models import Means, Relation
from app.errors import InvalidInputError
from app.shipments.models import ProofKind
from app.shipments.pictures import picture_type
from app.shipments.scan_values import PROOF_BYTES_MAX

NAME_LENGTH_MAX, ID_LENGTH_MAX = 100, 150


@dataclass(frozen=True, slots=True)
class Paid:
    """What the consignee paid: nothing is zero, and then without means."""

    amount_minor: int
    means: Means = Means.CASH


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the hand-over is proved: a picture, or a code that the consignee gave.

    Raises:
        InvalidInputError: the picture is none, or is too large; there is no code.
    """

    kind: ProofKind
    content: bytes

    def __post_init__(self) -> None:
        if len(self.content) > PROOF_BYTES_MAX:
            raise InvalidInputError(
                "the proof is too large",
                [{"detail": f"at most {PROOF_BYTES_MAX // 1000} kB", "pointer": "/proof"}],
            )
        if not self.content or (self.kind is not ProofKind.CODE and self.content_type is None):
            raise InvalidInputError(
                "the proof is no picture", [{"detail": "a PNG, JPEG or WebP picture", "pointer": "/proof"}]
            )

    @property
    def content_type(self) -> str | None:
        """What the content is, by how it begins."""
        if self.kind is ProofKind.CODE:
            return "text/plain"
        return picture_type(self.content)


@dataclass(frozen=True, slots=True)
class HandOver:
    """What a courier tells at the door, or a counter at its desk.

    Args:
        received_by: who took it.
        relation: what he is to the consignee; None for the consignee himself.
        evidence: how it is proved; a name alone where there is none.
        paid: what was paid, where something is due.
        occurred_at, offset_minutes: the device's time and its local offset.
        device_id, client_id: together the same whenever the same hand-over is told again.
        courier_id, facility_id: who hands it over, and where if at a counter.

    Raises:
        InvalidInputError: nobody received it, an id is missing, or less than nothing was paid.
    """

    received_by: str
    occurred_at: datetime
    offset_minutes: int
    device_id: str
    client_id: str
    relation: Relation | None = None
    evidence: Evidence | None = None
    paid: Paid | None = None
    courier_id: int | None = None
    facility_id: int | None = None

    def __post_init__(self) -> None:
        wrong = []
        if (
            not self.received_by.strip()
            or len(self.received_by) > NAME_LENGTH_MAX
            or "\0" in self.received_by
        ):
            wrong.append({"detail": "who received it is not said", "pointer": "/received_by"})
        wrong += [
            {"detail": f"1 to {ID_LENGTH_MAX} characters", "pointer": f"/{name}"}
            for name in ("device_id", "client_id")
            if not 0 < len(getattr(self, name)) <= ID_LENGTH_MAX
        ]
        if self.paid is not None and self.paid.amount_minor < 0:
            wrong.append({"detail": "must not be negative", "pointer": "/paid/amount_minor"})
        if wrong:
            raise InvalidInputError("the hand-over is not complete", wrong)


class Outcome(enum.StrEnum):
    """What became of a hand-over."""

    HANDED_OVER = "handed_over"
    NOT_PAID = "not_paid"
    WRONG_CODE = "wrong_code"
    CODE_LOCKED = "code_locked"
