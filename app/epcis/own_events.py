"""Our own scans as EPCIS events, beside those that partners sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.actor import Actor
from app.epcis.meaning import Meant
from app.epcis.models import EpcisEvent
from app.epcis.visibility import visible
from app.shipments import queries as shipments
from app.shipments.models import ScanRecord, Shipment
from app.shipments.scan_store import scans_by_shipment
from app.shipments.service import ScanInput
from tracking.epcis import Json, scan_events
from tracking.epcis_terms import scan_id_of
from tracking.shipment import Scan, ScanCode


@dataclass(frozen=True, slots=True)
class OwnScan:
    """A scan of ours that an event id names, and whether another has declared it an error."""

    record: ScanRecord
    number: str
    corrected: bool

    def as_meant(self, source: str) -> Meant:
        """The scan as if a partner's event had meant it; for declaring it an error in his name."""
        record = self.record
        scan = ScanInput(
            number=self.number,
            code=record.code.value,
            occurred_at=record.occurred_at,
            offset_minutes=record.offset_minutes,
            device_id=source,
            client_scan_id=record.scan_key,
            piece_no=record.piece_no,
        )
        return Meant(record.scan_key, scan)


def parcel(number: str) -> str:
    """What stands among an event's EPCs for a parcel of ours, however the event spells it."""
    return f"parcel:{number}"


def own_scans(session: Session, event_ids: Iterable[str], base: str) -> dict[str, OwnScan]:
    """The scans of the session's tenant that event ids of ours name, by event id."""
    keys = {
        scan_id_of(event_id, base): event_id for event_id in event_ids if event_id.startswith(f"{base}scan/")
    }
    if not keys:
        return {}
    rows = session.execute(
        sa.select(ScanRecord, Shipment.waybill_number)
        .join(Shipment, Shipment.id == ScanRecord.shipment_id)
        .where(ScanRecord.scan_key.in_(keys))
    ).all()
    corrected = shipments.corrected_keys(session, list(keys))
    return {
        keys[record.scan_key]: OwnScan(record, number, record.scan_key in corrected)
        for record, number in rows
    }


def events_of_numbers(session: Session, actor: Actor, numbers: Collection[str], base: str) -> list[Json]:
    """The scans of parcels that the asker may know of, as events.

    A scan that came by an event which he sees too is not told twice. A correction of such a scan repeats that
    event, as the standard has it.
    """
    found = session.scalars(
        sa.select(Shipment).where(shipments.visible(actor), Shipment.waybill_number.in_(numbers))
    ).all()
    events: list[Json] = []
    for shipment, scans in _scans(session, found):
        captured = _captured(session, actor, [scan.scan_id for scan in scans])
        for event in scan_events(shipment.waybill_number, scans, base=base):
            told = _told(event, captured, base)
            if told is not None:
                events.append(told)
    return events


def own_event(session: Session, actor: Actor, event_id: str, base: str) -> list[Json]:
    """The event of one of our scans with its error declarations; empty where the asker may not know of it."""
    own = own_scans(session, [event_id], base).get(event_id)
    if own is None:
        return []
    events = events_of_numbers(session, actor, [own.number], base)
    return [event for event in events if event["eventID"] == event_id]


def _scans(session: Session, found: Iterable[Shipment]) -> Iterator[tuple[Shipment, list[Scan]]]:
    rows = list(found)
    scans = scans_by_shipment(session, rows)
    for shipment in rows:
        heard = sorted(scans.get(shipment.id, []), key=lambda scan: (scan.occurred_at, scan.scan_id))
        counted = {scan.scan_id for scan in heard if scan.code is not ScanCode.VOIDED}
        # A device may correct what it never sent: that declares nothing an error.
        yield (
            shipment,
            [
                scan if scan.corrects in counted else msgspec.structs.replace(scan, corrects=None)
                for scan in heard
                if scan.code is not ScanCode.VOIDED or scan.corrects in counted
            ],
        )


def _captured(session: Session, actor: Actor, keys: list[str]) -> dict[str, EpcisEvent]:
    """The events that the asker sees, by the keys of the scans that came by them."""
    rows = session.scalars(
        sa.select(EpcisEvent).where(EpcisEvent.scan_keys.overlap(keys), visible(actor))
    ).all()
    return {key: row for row in rows for key in row.scan_keys}


def _told(event: Json, captured: Mapping[str, EpcisEvent], base: str) -> Json | None:
    declaration = event.get("errorDeclaration")
    of = scan_id_of(event["eventID"], base)
    if declaration is None:
        return None if of in captured else event
    by = declaration.get("wheelhouse:scanID") or scan_id_of(declaration["correctiveEventIDs"][0], base)
    if by in captured:
        return None
    if of in captured:
        row = captured[of]
        return {**row.body, "eventID": row.event_id, "errorDeclaration": declaration}
    return event
