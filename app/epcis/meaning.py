"""Which scans an event means: of which of our parcels, with which code, at which of our facilities."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.session import tenant_of
from app.network.models import Facility
from app.shipments.service import ScanInput
from app.shipments.values import scan_key
from app.shipments.waybills import known
from routing.network import FacilityKind
from tracking.epcis_reading import Named, Place, code_of, named_in, place_of, text_of, things_of
from tracking.epcis_shapes import moment_of
from tracking.epcis_terms import offset_minutes_of
from tracking.shipment import ScanCode

_ID_LENGTH_MAX = 200
_REASON_LENGTH_MAX = 500
# What is stored at a place of this kind; elsewhere it has only arrived.
_STORED_AT: Mapping[FacilityKind, ScanCode] = {
    FacilityKind.OUTLET: ScanCode.AT_OUTLET,
    FacilityKind.STORE: ScanCode.AT_STORE,
    FacilityKind.LOCKER: ScanCode.AT_LOCKER,
    FacilityKind.COLLECTIVE_POINT: ScanCode.AT_COLLECTIVE_POINT,
}


@dataclass(frozen=True, slots=True)
class Meant:
    """A scan that an event means, with the key that it will have."""

    key: str
    scan: ScanInput


class UnknownPlaceError(Exception):
    """An event names a facility as ours that is not."""


class Reader:
    """Reads the events of one capture; what the database knows is asked for all of them at once.

    Args:
        session: of the tenant.
        bodies: every event that will be read.
        base: the URI under which our ids live.
    """

    def __init__(self, session: Session, bodies: Iterable[Mapping[str, Any]], base: str) -> None:
        self._base = base
        self._tenant_id = tenant_of(session)
        given = list(bodies)
        named = {one for body in given for one in self._named(body)}
        self._known = known(session, {one.number for one in named})
        self._facilities = _facilities(session, {place_of(body, base) for body in given} - {None})

    def numbers(self, epcs: Iterable[str]) -> list[str]:
        """The parcels among some EPCs that are ours, or are written as only ours are."""
        named = (named_in(epc, self._base) for epc in epcs)
        return list(dict.fromkeys(one.number for one in named if one is not None and self._is_ours(one)))

    def meant(self, event_id: str, body: Mapping[str, Any], source: str) -> list[Meant]:
        """The scans that an event means, the same ones whenever it is asked; none where it moves no parcel.

        Args:
            event_id: of the event, which recognises its scans.
            body: the event, without faults.
            source: the device that it is recorded by.

        Raises:
            UnknownPlaceError: it happened at a facility of ours that there is not.
        """
        facility = self._facility(body)
        code = code_of(body, at_facility=facility is not None)
        if code is ScanCode.AT_OUTLET and "wheelhouse:code" not in body:
            code = None if facility is None else _STORED_AT.get(facility.kind, ScanCode.ARRIVED)
        parcels = list(dict.fromkeys(one for one in self._named(body) if self._is_ours(one)))
        if code is None:
            return []
        found = []
        for one in parcels:
            scan = ScanInput(
                number=one.number,
                code=code.value,
                occurred_at=moment_of(body["eventTime"]),
                offset_minutes=offset_minutes_of(body["eventTimeZoneOffset"]),
                device_id=source,
                client_scan_id=_client_id(event_id, one, alone=len(parcels) == 1),
                facility_id=None if facility is None else facility.id,
                reason=(text_of(body, "wheelhouse:reason") or "")[:_REASON_LENGTH_MAX] or None,
                piece_no=one.piece_no,
            )
            found.append(Meant(scan_key(self._tenant_id, source, scan.client_scan_id), scan))
        return found

    def void(self, wrong: Meant, declared_at: str) -> Meant:
        """The scan that declares another an error.

        Args:
            wrong: the scan that did not happen, or not so.
            declared_at: the declaration's time with its offset.
        """
        moment = datetime.fromisoformat(declared_at)
        offset = moment.utcoffset()
        assert offset is not None, "checked when it was read"
        scan = ScanInput(
            number=wrong.scan.number,
            code=ScanCode.VOIDED.value,
            occurred_at=moment_of(declared_at),
            offset_minutes=int(offset.total_seconds()) // 60,
            device_id=wrong.scan.device_id,
            client_scan_id=short_id(f"{wrong.scan.client_scan_id} declared an error"),
            corrects=wrong.key,
            piece_no=wrong.scan.piece_no,
        )
        return Meant(scan_key(self._tenant_id, scan.device_id, scan.client_scan_id), scan)

    def labels(self, epcs: Iterable[str]) -> list[str]:
        """What the labels say of the parcels of ours among some EPCs."""
        named = (named_in(epc, self._base) for epc in epcs)
        return [
            one.number if one.piece_no is None else f"{one.number}-{one.piece_no:03d}"
            for one in named
            if one is not None and self._is_ours(one)
        ]

    def facility_id(self, body: Mapping[str, Any]) -> int | None:
        """Where an event happened, if that is a facility of ours.

        Raises:
            UnknownPlaceError: it happened at a facility of ours that there is not.
        """
        facility = self._facility(body)
        return None if facility is None else facility.id

    def _named(self, body: Mapping[str, Any]) -> list[Named]:
        named = (named_in(epc, self._base) for epc in things_of(body))
        return [one for one in named if one is not None]

    def _is_ours(self, named: Named) -> bool:
        return named.ours or named.number in self._known

    def _facility(self, body: Mapping[str, Any]) -> Facility | None:
        place = place_of(body, self._base)
        if place is None:
            return None
        found = self._facilities.get(place)
        if found is None:
            raise UnknownPlaceError(f"there is no facility {place.code or place.facility_id}")
        return found


def _facilities(session: Session, places: Iterable[Place | None]) -> dict[Place, Facility]:
    asked = [place for place in places if place is not None]
    if not asked:
        return {}
    rows: Sequence[Facility] = session.scalars(
        sa.select(Facility).where(
            sa.or_(
                Facility.id.in_([place.facility_id for place in asked if place.facility_id is not None]),
                Facility.code.in_([place.code for place in asked if place.code is not None]),
            )
        )
    ).all()
    by_place = {Place(row.id, None): row for row in rows} | {Place(None, row.code): row for row in rows}
    return {place: by_place[place] for place in asked if place in by_place}


def _client_id(event_id: str, named: Named, *, alone: bool) -> str:
    if alone:
        return short_id(event_id)
    return short_id(f"{event_id} {named.number} {named.piece_no or ''}".rstrip())


def short_id(text: str) -> str:
    """An id that a scan may have: itself, or a digest of it where it is too long."""
    return text if len(text) <= _ID_LENGTH_MAX else f"sha-256;{hashlib.sha256(text.encode()).hexdigest()}"
