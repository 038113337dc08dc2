"""Scans in their table: put in once, and read back as `tracking` takes them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import copy_if_new, execute_plain, tenant_of
from app.shipments.models import Shipment
from app.shipments.scan_values import Heard
from app.shipments.waybills import Known, month_of
from tracking.shipment import Scan, ScanCode


class Content(NamedTuple):
    """What may not differ when a scan is sent again."""

    number: str
    piece_no: int | None
    code: str
    occurred_at: datetime
    corrects: str | None


def insert(
    session: Session,
    user_id: int | None,
    heard: Sequence[Heard],
    known: Mapping[str, Known],
    now: datetime,
) -> set[str]:
    """Put in what is new; gives the keys of what went in.

    In the order of the keys, so that two senders of the same scans never wait for each other crosswise. Many
    at once are copied, in the hope that all are new; where one is not, nothing of the copy stays, and they
    go in by a statement that looks at each.
    """
    first = {one.key: one for one in reversed(heard)}
    if not first:
        return set()
    rows = [first[key] for key in sorted(first)]
    if len(rows) >= _COPIED_MIN and _copied(session, user_id, rows, known, now):
        return set(first)
    return _inserted(session, user_id, rows, known, now)


def _copied(
    session: Session, user_id: int | None, rows: Sequence[Heard], known: Mapping[str, Known], now: datetime
) -> bool:
    """Whether all of them were new and could be copied."""
    head, received = f"{tenant_of(session)}\t{_number(user_id)}\t", now.isoformat()
    month_of_text = {month: month.isoformat() for month in {known[one.number].month for one in rows}}
    ats = arrays.moment_texts([one.scan.occurred_at for one in rows])
    lines = list[str]()
    free = list[str]()
    for one, at in zip(rows, ats, strict=True):
        scan, of = one.scan, known[one.number]
        free += (scan.device_id, scan.client_scan_id)
        if scan.reason is None and scan.corrects is None and one.piece_no is None and one.courier_id is None:
            rest = "\\N\t\\N\t\\N\t\\N\n"
        else:
            free += (scan.reason or "", scan.corrects or "")
            rest = (
                f"{_number(one.courier_id)}\t{_text(scan.reason)}\t{_text(scan.corrects)}\t"
                f"{_number(one.piece_no)}\n"
            )
        lines.append(
            f"{head}{one.key}\t{of.shipment_id}\t{month_of_text[of.month]}\t{scan.device_id}\t"
            f"{scan.client_scan_id}\t{scan.code}\t{at}\t{scan.offset_minutes}\t"
            f"{received}\t{_number(one.facility_id)}\t{rest}"
        )
    if _MISREAD.search("".join(free)):
        return False  # so rare that they may go the slower way
    return copy_if_new(session, _COPY, "".join(lines))


def _number(value: int | None) -> str:
    return "\\N" if value is None else str(value)


def _text(value: str | None) -> str:
    return "\\N" if value is None else value


def _inserted(
    session: Session, user_id: int | None, rows: Sequence[Heard], known: Mapping[str, Known], now: datetime
) -> set[str]:
    of = [known[one.number] for one in rows]
    scans = [one.scan for one in rows]
    fresh = execute_plain(
        session,
        _INSERT,
        (
            tenant_of(session),
            user_id,
            now,
            arrays.texts([one.key for one in rows]),
            arrays.numbers([one.shipment_id for one in of]),
            arrays.moments([one.month for one in of]),
            arrays.texts([scan.device_id for scan in scans]),
            arrays.texts([scan.client_scan_id for scan in scans]),
            arrays.texts([scan.code for scan in scans]),
            arrays.moments([scan.occurred_at for scan in scans]),
            arrays.numbers([scan.offset_minutes for scan in scans]),
            arrays.numbers([one.facility_id for one in rows]),
            arrays.numbers([one.courier_id for one in rows]),
            _sparse([scan.reason for scan in scans]),
            _sparse([scan.corrects for scan in scans]),
            arrays.numbers([one.piece_no for one in rows]),
        ),
    )
    return {key for (key,) in fresh}


_COPIED_MIN = 50
_MISREAD = re.compile(r"[\\\t\r\n]")
_COPY = (
    "COPY scan (tenant_id, user_id, scan_key, shipment_id, shipment_month, device_id, client_scan_id, "
    "code, occurred_at, offset_minutes, received_at, facility_id, courier_id, reason, corrects, piece_no) "
    "FROM STDIN"
)
_INSERT = """
INSERT INTO scan (tenant_id, user_id, received_at, scan_key, shipment_id, shipment_month, device_id,
    client_scan_id, code, occurred_at, offset_minutes, facility_id, courier_id, reason, corrects, piece_no)
SELECT %s, %s, %s, given.*
FROM unnest(%s::text[], %s::bigint[], %s::date[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
    %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[]) AS given
ON CONFLICT DO NOTHING
RETURNING scan_key
"""


def _sparse(values: Sequence[str | None]) -> str:
    """A column that is mostly empty: `unnest` fills a shorter array up with NULLs."""
    return arrays.texts(values) if any(value is not None for value in values) else "{}"


def contents(session: Session, keys: Collection[str], months: Collection[date]) -> dict[str, Content]:
    """What is stored under some keys, in the partitions of some months."""
    if not keys:
        return {}
    rows = execute_plain(
        session,
        "SELECT scan_key, waybill_number, piece_no, scan.code, occurred_at, corrects "
        "FROM scan JOIN shipment ON shipment.id = shipment_id "
        "WHERE scan_key = ANY (%s::text[]) AND shipment_month = ANY (%s::date[]) AND scan.tenant_id = %s",
        (arrays.texts(list(keys)), arrays.moments(months), tenant_of(session)),
    )
    return {key: Content(*rest) for key, *rest in rows}


def scans_by_shipment(session: Session, shipments: Iterable[Shipment]) -> dict[int, list[Scan]]:
    """Every scan of some shipments."""
    return scans_by_id(session, {shipment.id: month_of(shipment.booked_at) for shipment in shipments})


def scans_by_id(session: Session, months: Mapping[int, date]) -> dict[int, list[Scan]]:
    """Every scan of some shipments, named by id, each with the month of its booking."""
    found: defaultdict[int, list[Scan]] = defaultdict(list)
    if not months:
        return found
    rows = execute_plain(
        session,
        "SELECT shipment_id, scan_key, code, occurred_at, offset_minutes, received_at, device_id, "
        "client_scan_id, facility_id, courier_id, reason, corrects, piece_no, container_id FROM scan "
        "WHERE shipment_id = ANY (%s::bigint[]) AND shipment_month = ANY (%s::date[])",
        (arrays.numbers(months), arrays.moments(sorted(set(months.values())))),
    )
    for shipment_id, key, code, at, offset, received, device, client, place, courier, why, *rest in rows:
        corrects, piece_no, container_id = rest
        found[shipment_id].append(
            Scan(
                key,
                ScanCode(code),
                at.astimezone(UTC),
                offset,
                received.astimezone(UTC),
                device,
                client,
                place,
                courier,
                container_id,
                reason=why,
                corrects=corrects,
                piece_no=piece_no,
            )
        )
    return found
