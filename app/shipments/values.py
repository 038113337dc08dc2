"""Identities that are computed, not drawn: scan keys, what labels say, unguessable tracking links."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from functools import lru_cache

from tracking.numbers import is_waybill_number, normalise

_LINK_BYTES = 15  # 120 bits
_WITH_PIECE = re.compile(r"([A-Z]{2}[0-9]{12})([0-9]{3})")


def scan_key(tenant_id: int, device_id: str, client_scan_id: str) -> str:
    """The identity of a scan: the same device's same scan has the same key, however often it is sent."""
    text = f"{tenant_id}\n{len(device_id)}\n{device_id}\n{client_scan_id}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def label_number(waybill_number: str, piece_no: int, pieces: int) -> str:
    """What the barcode of a piece says: the waybill number, and of several pieces which one it is."""
    return waybill_number if pieces == 1 else f"{waybill_number}-{piece_no:03d}"


@lru_cache(maxsize=65_536)  # a parcel is scanned a dozen times
def parse_number(text: str) -> tuple[str, int | None]:
    """What was scanned or typed: the waybill number as it is stored, and the piece if it names one."""
    plain = normalise(without_nul(text))
    piece = _WITH_PIECE.fullmatch(plain)
    if piece is not None and is_waybill_number(piece[1]) and int(piece[2]):
        return piece[1], int(piece[2])
    return plain, None


def without_nul(text: str) -> str:
    """A text as PostgreSQL can hold it."""
    return text.replace("\0", "")


def link_token(shipment_id: int, key: bytes) -> str:
    """The text of a shipment's unguessable link: its id, and 120 bits that only the key's owner can make."""
    mac = hmac.digest(key, b"tracking link %d" % shipment_id, "sha256")[:_LINK_BYTES]
    return f"{shipment_id}-{base64.urlsafe_b64encode(mac).decode()}"


def shipment_of_link(token: str, key: bytes) -> int | None:
    """The shipment that a link's text opens; None when it was not made with the key."""
    text, _, _mac = token.partition("-")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        return None
    shipment_id = int(text)
    return shipment_id if hmac.compare_digest(token.encode(), link_token(shipment_id, key).encode()) else None
