"""What an EPCIS event of anybody's says of our parcels: which numbers it names, and which scan it means.

`tracking.epcis` reads back what we wrote. Here are events that a partner's system wrote: parcels named in
any of the spellings of GS1 or by their tracking address, and what happened told by step and disposition.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from tracking.epcis_shapes import is_uri
from tracking.numbers import is_waybill_number, normalise, sscc_check_digit
from tracking.shipment import ScanCode

_C = ScanCode

# Where only the disposition tells, whatever the step.
_BY_DISPOSITION: Mapping[str, ScanCode] = {"damaged": _C.DAMAGED, "returned": _C.RETURNED}
_BY_STEP: Mapping[str, ScanCode] = {
    "accepting": _C.ACCEPTED,
    "arriving": _C.ARRIVED,
    "collecting": _C.COLLECTED,
    "departing": _C.DEPARTED,
    "holding": _C.HELD,
    "loading": _C.SORTED,
    "packing": _C.SORTED,
    "receiving": _C.DELIVERED,
    "shipping": _C.DEPARTED,
    "staging_outbound": _C.SORTED,
    "storing": _C.AT_OUTLET,
    "transporting": _C.OUT_FOR_DELIVERY,
    "unloading": _C.ARRIVED,
    "unpacking": _C.ARRIVED,
    "void_shipping": _C.RETURNING,
}
_BY_BOTH: Mapping[tuple[str, str], ScanCode] = {
    ("collecting", "in_progress"): _C.DEPOSITED,
    ("staging_outbound", "available"): _C.RELEASED,
    ("stock_taking", "unknown"): _C.LOST,
}
_CODES = {code.value: code for code in ScanCode if code is not _C.VOIDED}

_NUMBER = re.compile(r"[A-Z0-9]{4,40}")
_CODE_LENGTH_MAX = 60
_PIECE = re.compile(r"(.*?)[/-]0*([1-9][0-9]{0,4})")
_SSCC_URN = re.compile(r"urn:epc:id:sscc:([0-9]{6,12})\.([0-9]{5,11})")
# A consignment (GINC) or a single asset (GIAI): company prefix, and what that company calls it.
_REFERENCE_URN = re.compile(r"urn:epc:id:(?:ginc|giai):[0-9]{6,12}\.([^.:]+)")
# The application identifiers of the same as GS1 Digital Link.
_SSCC_LINK = re.compile(r"/00/([0-9]{18})(?:/|$)")
_REFERENCE_LINK = re.compile(r"/(?:401|8004)/([^/]+)")


@dataclass(frozen=True, slots=True)
class Named:
    """A parcel that an event names: the number as it is stored, and the piece where it names one.

    `ours` says that it is written as only our own numbers are, so that it is worth keeping even while
    nobody has booked it.
    """

    number: str
    piece_no: int | None
    ours: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event happened, as its sender names our facilities: by id or by code."""

    facility_id: int | None
    code: str | None


def named_in(uri: str, base: str) -> Named | None:
    """Return the parcel that an EPC may be: our own URI, SSCC, GINC, GIAI (URN or Digital Link), an address.

    Args:
        uri: one of an event's EPCs.
        base: the URI under which our ids live, ending in a slash.
    """
    if uri.startswith(f"{base}waybill/"):
        number, piece_no = _with_piece(unquote(uri.removeprefix(f"{base}waybill/")))
        if not _NUMBER.fullmatch(number):
            return None
        return Named(number, piece_no, ours=is_waybill_number(number))
    if match := _SSCC_URN.fullmatch(uri):
        digits = match[2][0] + match[1] + match[2][1:]
        if len(digits) != 17:
            return None
        return Named(f"{digits}{sscc_check_digit(digits)}", None, ours=False)
    if match := _REFERENCE_URN.fullmatch(uri):
        return _reference(unquote(match[1]))
    if not uri.startswith(("http://", "https://")):
        return None
    try:
        path = urlsplit(uri).path
    except ValueError:  # such as half an IPv6 address
        return None
    if match := _SSCC_LINK.search(path):
        return Named(match[1], None, ours=False)
    if match := _REFERENCE_LINK.search(path):
        return _reference(unquote(match[1]))
    return _reference(unquote(path.rstrip("/").rpartition("/")[2]))


def place_of(event: Mapping[str, Any], base: str) -> Place | None:
    """Return which of our facilities the business location, else the read point, is; None for others'."""
    for field in ("bizLocation", "readPoint"):
        place = event.get(field)
        uri = place.get("id") if isinstance(place, dict) else None
        if isinstance(uri, str) and uri.startswith(f"{base}facility/"):
            name = unquote(uri.removeprefix(f"{base}facility/"))
            if name.isascii() and name.isdecimal() and len(name) <= 18:
                return Place(int(name), None)
            return Place(None, name) if name.isprintable() and len(name) <= _CODE_LENGTH_MAX else None
    return None


def code_of(event: Mapping[str, Any], *, at_facility: bool) -> ScanCode | None:
    """Return what an event says happened to the parcels it names; None when nothing moved them.

    What we wrote ourselves says its code. Otherwise the disposition decides where it alone tells (damaged,
    returned), then step and disposition together, then the step. What is received at a facility of the
    carrier's has arrived there; anywhere else it is delivered.

    Args:
        event: one without faults.
        at_facility: whether it happened at a facility of ours.
    """
    written = event.get("wheelhouse:code")
    if isinstance(written, str) and written in _CODES:
        return _CODES[written]
    step, disposition = text_of(event, "bizStep") or "", text_of(event, "disposition") or ""
    code = _BY_DISPOSITION.get(disposition) or _BY_BOTH.get((step, disposition)) or _BY_STEP.get(step)
    if code is _C.DELIVERED and at_facility:
        return _C.ARRIVED
    return code


def text_of(event: Mapping[str, Any], field: str) -> str | None:
    """Return a field's text; None where it has none. Types of other namespaces may put anything there."""
    value = event.get(field)
    return value if isinstance(value, str) else None


def things_of(event: Mapping[str, Any]) -> list[str]:
    """Return the EPCs that something happened to: of `epcList` and `childEPCs`, each once."""
    return _gathered(event, ("epcList", "childEPCs"))


def epcs_of(event: Mapping[str, Any]) -> list[str]:
    """Return every EPC that an event names: also its parent, and what was made of what."""
    found = _gathered(event, ("epcList", "childEPCs", "inputEPCList", "outputEPCList"))
    parent = event.get("parentID")
    return [*found, parent] if isinstance(parent, str) and is_uri(parent) and parent not in found else found


def _gathered(event: Mapping[str, Any], fields: Iterable[str]) -> list[str]:
    # An event type of another namespace is kept whatever stands in fields of these names.
    lists = [event.get(field) for field in fields]
    return list(
        dict.fromkeys(epc for given in lists if isinstance(given, list) for epc in given if is_uri(epc))
    )


def _reference(text: str) -> Named | None:
    """Our number at the end of what a company calls a thing; the company's prefix may stand before it."""
    number, piece_no = _with_piece(text)
    for candidate in (number, number[-14:]):
        if is_waybill_number(candidate):
            return Named(candidate, piece_no, ours=True)
    return None


def _with_piece(text: str) -> tuple[str, int | None]:
    if match := _PIECE.fullmatch(text):
        return normalise(match[1]), int(match[2])
    return normalise(text), None
