"""Who may see a shipment's details without a login: who knows the last four digits of a phone at either end.

Five wrong tries lock a number's details for an hour; while they are locked the right digits do not open them
either. The unguessable link is another way in and is never locked.
"""

from __future__ import annotations

import enum
import hmac
import re
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.customers.identities import local_phone
from app.shipments.models import Shipment

TRIES_MAX = 5
LOCK = timedelta(hours=1)
_DIGITS = re.compile(r"[0-9]{4}")


class Attempt(enum.Enum):
    """What became of a try."""

    OPEN = "open"
    WRONG = "wrong"
    LOCKED = "locked"


def try_phone(session: Session, shipment: Shipment, digits: str, *, now: datetime) -> Attempt:
    """Compare four digits with the phones of both ends; a wrong try is counted, so the caller must commit."""
    session.refresh(shipment, with_for_update={"key_share": True})
    if shipment.phone_locked_until is not None:
        if shipment.phone_locked_until > now:
            return Attempt.LOCKED
        shipment.phone_locked_until, shipment.phone_tries = None, 0
    if _matches(digits, shipment):
        shipment.phone_tries = 0
        return Attempt.OPEN
    shipment.phone_tries += 1
    if shipment.phone_tries < TRIES_MAX:
        return Attempt.WRONG
    shipment.phone_locked_until = now + LOCK
    return Attempt.LOCKED


def _matches(digits: str, shipment: Shipment) -> bool:
    if not _DIGITS.fullmatch(digits):
        return False
    # Both are compared whatever the first says, and in constant time.
    found = [
        hmac.compare_digest(digits.encode(), _last_four(phone).encode())
        for phone in (shipment.sender_phone, shipment.consignee_phone)
    ]
    return any(found)


def _last_four(phone: str) -> str:
    number = local_phone(phone).partition(";")[0]
    return re.sub(r"[^0-9]", "", number)[-4:]
