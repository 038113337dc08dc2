"""A parcel's scans at their smallest: when each was, what it said, and whether it saw the parcel somewhere.

Nine bytes a scan, in the order of time, are enough to walk the transition table anew when a scan comes late
(`tracking.course`): the trail lies on the parcel's row, and nothing else need be read. It grows at its end
while scans come in order, and merges with what comes late.

A record is the effective time in microseconds since 1970 as eight bytes, the largest first, and a byte of
twice the rank of the code, plus one where the scan names a place that had the parcel in hand. So records
sort as bytes as their scans do in time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from tracking.shipment import Scan, ScanCode
from tracking.summary import mark_of
from tracking.transitions import PLACELESS

RECORD_BYTES = 9
SCANS_MAX = 200
"""A longer trail is not kept; whoever has none folds the scans themselves."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_pack = struct.Struct(">qB").pack
_unpack = struct.Struct(">qB").unpack
_RANKS = bytes(byte >> 1 for byte in range(256))


def record_of(at: datetime, code: ScanCode, facility_id: int | None) -> bytes:
    """The record of one scan.

    Args:
        at: its effective time (`tracking.summary.mark_of`), aware, after 1970.
        code: what it said.
        facility_id: the place it named, if any.
    """
    return _pack(micros_of(at), tag_of(code, seeing=facility_id is not None))


def micros_of(at: datetime) -> int:
    """The first part of a record, as a number."""
    return (at - _EPOCH) // _MICROSECOND


def tag_of(code: ScanCode, *, seeing: bool) -> int:
    """Its last byte.

    Args:
        code: what the scan said.
        seeing: it named a place.
    """
    return 2 * code.rank + (seeing and code not in PLACELESS)


def trail_of(scans: Iterable[Scan]) -> bytes:
    """The trail of all scans of a parcel, none of which corrects another."""
    return b"".join(sorted(record_of(mark_of(scan)[0], scan.code, scan.facility_id) for scan in scans))


def records_of(trail: bytes) -> list[bytes]:
    """The records of a trail, in the order of time."""
    return [trail[at : at + RECORD_BYTES] for at in range(0, len(trail), RECORD_BYTES)]


def ranks_of(trail: bytes) -> bytes:
    """The ranks of the codes, in the order of time."""
    return trail[RECORD_BYTES - 1 :: RECORD_BYTES].translate(_RANKS)


def at_of(record: bytes) -> datetime:
    """When the scan of a record was."""
    micros: int = _unpack(record)[0]
    return _EPOCH + timedelta(microseconds=micros)


def last_seeing(records: Sequence[bytes]) -> bytes | None:
    """The latest scan that saw the parcel at a place."""
    for record in reversed(records):
        if record[-1] & 1:
            return record
    return None
