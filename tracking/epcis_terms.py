"""The words and spellings of EPCIS 2.0: CBV terms of each code, URIs of our ids, times and offsets."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote, unquote

from tracking.errors import EpcisError
from tracking.shipment import ScanCode

# (bizStep, disposition) of each code, from the CBV; a code that the CBV has no step for is "other".
CBV_TERMS: Mapping[ScanCode, tuple[str, str]] = {
    ScanCode.BOOKED: ("commissioning", "active"),
    ScanCode.PICKUP_FAILED: ("other", "active"),
    ScanCode.CANCELLED: ("decommissioning", "inactive"),
    ScanCode.COLLECTED: ("collecting", "in_transit"),
    ScanCode.DEPOSITED: ("collecting", "in_progress"),
    ScanCode.ACCEPTED: ("accepting", "in_progress"),
    ScanCode.ARRIVED: ("arriving", "in_progress"),
    ScanCode.MISSORTED: ("inspecting", "in_progress"),
    ScanCode.DAMAGED: ("inspecting", "damaged"),
    ScanCode.DELAYED: ("other", "in_progress"),
    ScanCode.HELD: ("holding", "unavailable"),
    ScanCode.INTERCEPTED: ("holding", "unavailable"),
    ScanCode.RELEASED: ("staging_outbound", "available"),
    ScanCode.REDIRECTED: ("other", "in_transit"),
    ScanCode.SORTED: ("staging_outbound", "in_progress"),
    ScanCode.DEPARTED: ("departing", "in_transit"),
    ScanCode.OUT_FOR_DELIVERY: ("transporting", "in_transit"),
    ScanCode.ATTEMPT_FAILED: ("other", "in_transit"),
    ScanCode.REFUSED: ("other", "in_transit"),
    ScanCode.AT_OUTLET: ("storing", "available"),
    ScanCode.AT_STORE: ("storing", "available"),
    ScanCode.AT_LOCKER: ("storing", "available"),
    ScanCode.AT_COLLECTIVE_POINT: ("storing", "available"),
    ScanCode.PICKUP_OVERDUE: ("holding", "available"),
    ScanCode.RETURNING: ("void_shipping", "in_transit"),
    ScanCode.LOST: ("stock_taking", "unknown"),
    ScanCode.RETURNED: ("void_shipping", "returned"),
    ScanCode.DELIVERED: ("receiving", "in_progress"),
    ScanCode.DELIVERED_TO_PROXY: ("receiving", "in_progress"),
    ScanCode.TAKEN_FROM_POINT: ("receiving", "in_progress"),
    ScanCode.TAKEN_FROM_LOCKER: ("receiving", "in_progress"),
    ScanCode.RECEIPT_CONFIRMED: ("receiving", "completeness_verified"),
}


def require_base(base: str) -> None:
    """Raise EpcisError unless `base` is an absolute URI ending in a slash."""
    if not base.endswith("/") or ":" not in base:
        raise EpcisError(f"base must be an absolute URI that ends in a slash, not {base!r}")


def local_id(uri: str, base: str) -> str:
    """Return what follows `base` in `uri`; ValueError if it is not below it."""
    if not uri.startswith(base):
        raise ValueError(f"{uri} is not below {base}")
    return uri[len(base) :]


def scan_uri(scan_id: str, base: str) -> str:
    """Return the eventID of a scan."""
    return f"{base}scan/{quote(scan_id, safe='')}"


def scan_id_of(uri: str, base: str) -> str:
    """Return the scan id that an eventID names."""
    return unquote(local_id(uri, f"{base}scan/"))


def local_time(moment: datetime, offset_minutes: int) -> str:
    """Write a moment in the local time it was recorded in."""
    return moment.astimezone(timezone(timedelta(minutes=offset_minutes))).isoformat()


def offset_text(minutes: int) -> str:
    """Write an offset from UTC as EPCIS has it: +08:00."""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def offset_minutes_of(offset: str) -> int:
    """Read an offset from UTC."""
    sign = -1 if offset.startswith("-") else 1
    hours, minutes = offset[1:].split(":")
    return sign * (int(hours) * 60 + int(minutes))


def utc_time(text: str) -> datetime:
    """Read a moment with an offset; ValueError if it has none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return moment.astimezone(UTC)
