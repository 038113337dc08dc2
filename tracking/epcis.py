"""GS1 EPCIS 2.0: our scans and packing events as ObjectEvents and AggregationEvents, and back.

What EPCIS has a field for stands in that field (CBV 2.0 business steps and dispositions); the rest of a
scan stands in extension fields of our own namespace, so that what is exported comes back equal. A correction
repeats the corrected event with an `errorDeclaration`, as the standard demands; nothing is edited.

Source: GS1 EPCIS 2.0 (ISO/IEC 19987:2024), sections 7.4.1 and 12; CBV 2.0 (ISO/IEC 19988), section 7.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from tracking.containers import PackingAction, PackingEvent, Piece
from tracking.epcis_terms import (
    CBV_TERMS,
    local_id,
    local_time,
    offset_minutes_of,
    offset_text,
    require_base,
    scan_id_of,
    scan_uri,
    utc_time,
)
from tracking.errors import EpcisError, TrackingError
from tracking.shipment import Scan, ScanCode

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
Json = dict[str, Any]

_PACKING = {
    PackingAction.PACKED: ("ADD", "packing"),
    PackingAction.UNPACKED: ("DELETE", "unpacking"),
    PackingAction.CHECKED: ("OBSERVE", "inspecting"),
}
_ACTIONS = {epcis: action for action, (epcis, _) in _PACKING.items()}


def document(events: Sequence[Json], *, created_at: datetime, base: str) -> Json:
    """Return an EPCISDocument around events.

    Args:
        events: from `scan_events` and `packing_event`.
        created_at: in UTC.
        base: the URI under which our ids live, ending in a slash; configuration.
    """
    require_base(base)
    return {
        "@context": [CONTEXT, {"wheelhouse": f"{base}epcis/"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": created_at.isoformat(),
        "epcisBody": {"eventList": list(events)},
    }


def scan_events(waybill: str, scans: Iterable[Scan], *, base: str) -> list[Json]:
    """Return the ObjectEvents of a parcel's scans, in the order given.

    A scan that corrects another becomes the other's event, repeated with an error declaration; unless it is
    `VOIDED`, its own event follows.

    Raises:
        EpcisError: a scan corrects one that is not among `scans`.
    """
    require_base(base)
    given = list(scans)
    by_id = {scan.scan_id: scan for scan in given}
    events = []
    for scan in given:
        if scan.corrects is not None:
            wrong = by_id.get(scan.corrects)
            if wrong is None or wrong.code is ScanCode.VOIDED:
                raise EpcisError(f"scan {scan.scan_id} corrects {scan.corrects}, which is not given")
            declared = _object_event(waybill, wrong, base)
            declared["errorDeclaration"] = _declaration(scan, base)
            events.append(declared)
        if scan.code is not ScanCode.VOIDED:
            events.append(_object_event(waybill, scan, base))
    return events


def packing_event(event: PackingEvent, waybills: Mapping[int, str], *, base: str) -> Json:
    """Return the AggregationEvent of a packing event.

    Args:
        event: what was packed or unpacked.
        waybills: the waybill number of each shipment in it.
        base: see `document`.
    """
    require_base(base)
    action, step = _PACKING[event.action]
    place = {"id": f"{base}facility/{event.facility_id}"}
    return {
        "type": "AggregationEvent",
        "eventID": f"{base}packing/{quote(event.event_id, safe='')}",
        "eventTime": local_time(event.occurred_at, event.offset_minutes),
        "eventTimeZoneOffset": offset_text(event.offset_minutes),
        "parentID": f"{base}container/{event.container_id}",
        "childEPCs": [
            *(f"{base}waybill/{waybills[piece.shipment_id]}/{piece.piece_no}" for piece in event.pieces),
            *(f"{base}container/{container_id}" for container_id in event.containers),
        ],
        "action": action,
        "bizStep": step,
        "readPoint": place,
        "bizLocation": place,
    }


def read_scans(events: Iterable[Mapping[str, Any]], *, base: str) -> list[tuple[str, Scan]]:
    """Return the (waybill, scan) pairs of ObjectEvents that `scan_events` wrote.

    An error declaration without a corrective event comes back as the `VOIDED` scan that made it. One with a
    corrective event tells nothing new: the corrective scan follows and names what it corrects.

    Raises:
        EpcisError: an event is not one that this engine wrote; the message names it.
    """
    require_base(base)
    pairs = []
    for event in events:
        try:
            declaration = event.get("errorDeclaration")
            if declaration is None:
                pairs.append(_read_scan(event, base))
            elif not declaration.get("correctiveEventIDs"):
                pairs.append(_read_void(event, declaration, base))
        except (KeyError, TypeError, AttributeError, ValueError, TrackingError) as error:
            raise EpcisError(f"event {event.get('eventID')} cannot be read as a scan: {error!r}") from error
    return pairs


def read_packing(event: Mapping[str, Any], shipments: Mapping[str, int], *, base: str) -> PackingEvent:
    """Return the packing event of an AggregationEvent that `packing_event` wrote.

    Args:
        event: the AggregationEvent.
        shipments: the shipment id of each waybill number in it.
        base: see `document`.

    Raises:
        EpcisError: the event is not one that this engine wrote.
    """
    require_base(base)
    try:
        pieces, containers = [], []
        for child in event["childEPCs"]:
            kind, *rest = local_id(child, base).split("/")
            if kind == "waybill":
                pieces.append(Piece(shipments[rest[0]], int(rest[1])))
            else:
                containers.append(int(local_id(child, f"{base}container/")))
        return PackingEvent(
            event_id=unquote(local_id(event["eventID"], f"{base}packing/")),
            container_id=int(local_id(event["parentID"], f"{base}container/")),
            action=_ACTIONS[event["action"]],
            occurred_at=utc_time(event["eventTime"]),
            offset_minutes=offset_minutes_of(event["eventTimeZoneOffset"]),
            facility_id=int(local_id(event["bizLocation"]["id"], f"{base}facility/")),
            pieces=tuple(pieces),
            containers=tuple(containers),
        )
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, TrackingError) as error:
        raise EpcisError(f"event {event.get('eventID')} cannot be read as packing: {error!r}") from error


def _object_event(waybill: str, scan: Scan, base: str) -> Json:
    step, disposition = CBV_TERMS[scan.code]
    event: Json = {
        "type": "ObjectEvent",
        "eventID": scan_uri(scan.scan_id, base),
        "eventTime": local_time(scan.occurred_at, scan.offset_minutes),
        "eventTimeZoneOffset": offset_text(scan.offset_minutes),
        "recordTime": scan.received_at.isoformat(),
        # A piece number that was not given is not invented.
        "epcList": [f"{base}waybill/{waybill}" + (f"/{scan.piece_no}" if scan.piece_no else "")],
        "action": "ADD" if scan.code is ScanCode.BOOKED else "OBSERVE",
        "bizStep": step,
        "disposition": disposition,
        "wheelhouse:code": scan.code.value,
        "wheelhouse:deviceID": scan.device_id,
        "wheelhouse:clientScanID": scan.client_scan_id,
    }
    if scan.facility_id is not None:
        place = {"id": f"{base}facility/{scan.facility_id}"}
        event |= {"readPoint": place, "bizLocation": place}
    extra = {
        "courierID": scan.courier_id,
        "containerID": scan.container_id,
        "reason": scan.reason,
        "corrects": scan.corrects,
    }
    return event | {f"wheelhouse:{name}": value for name, value in extra.items() if value is not None}


def _declaration(scan: Scan, base: str) -> Json:
    declaration: Json = {"declarationTime": local_time(scan.occurred_at, scan.offset_minutes)}
    if scan.code is not ScanCode.VOIDED:
        corrective = [scan_uri(scan.scan_id, base)]
        return declaration | {"reason": "incorrect_data", "correctiveEventIDs": corrective}
    # The declaration stands for the whole VOIDED scan, so its own fields are all here.
    declaration |= {
        "reason": "did_not_occur",
        "wheelhouse:scanID": scan.scan_id,
        "wheelhouse:offsetMinutes": scan.offset_minutes,
        "wheelhouse:recordTime": scan.received_at.isoformat(),
        "wheelhouse:deviceID": scan.device_id,
        "wheelhouse:clientScanID": scan.client_scan_id,
    }
    extra = {
        "facilityID": scan.facility_id,
        "courierID": scan.courier_id,
        "containerID": scan.container_id,
        "reason": scan.reason,
        "pieceNo": scan.piece_no,
    }
    return declaration | {f"wheelhouse:{name}": value for name, value in extra.items() if value is not None}


def _read_scan(event: Mapping[str, Any], base: str) -> tuple[str, Scan]:
    waybill, piece_no = _waybill(event, base)
    place = event.get("bizLocation")
    return waybill, Scan(
        scan_id=scan_id_of(event["eventID"], base),
        code=ScanCode(event["wheelhouse:code"]),
        occurred_at=utc_time(event["eventTime"]),
        offset_minutes=offset_minutes_of(event["eventTimeZoneOffset"]),
        received_at=utc_time(event["recordTime"]),
        device_id=event["wheelhouse:deviceID"],
        client_scan_id=event["wheelhouse:clientScanID"],
        facility_id=int(local_id(place["id"], f"{base}facility/")) if place else None,
        courier_id=event.get("wheelhouse:courierID"),
        container_id=event.get("wheelhouse:containerID"),
        reason=event.get("wheelhouse:reason"),
        corrects=event.get("wheelhouse:corrects"),
        piece_no=piece_no,
    )


def _read_void(event: Mapping[str, Any], declaration: Mapping[str, Any], base: str) -> tuple[str, Scan]:
    waybill, _ = _waybill(event, base)
    return waybill, Scan(
        scan_id=declaration["wheelhouse:scanID"],
        code=ScanCode.VOIDED,
        occurred_at=utc_time(declaration["declarationTime"]),
        offset_minutes=declaration["wheelhouse:offsetMinutes"],
        received_at=utc_time(declaration["wheelhouse:recordTime"]),
        device_id=declaration["wheelhouse:deviceID"],
        client_scan_id=declaration["wheelhouse:clientScanID"],
        facility_id=declaration.get("wheelhouse:facilityID"),
        courier_id=declaration.get("wheelhouse:courierID"),
        container_id=declaration.get("wheelhouse:containerID"),
        reason=declaration.get("wheelhouse:reason"),
        corrects=scan_id_of(event["eventID"], base),
        piece_no=declaration.get("wheelhouse:pieceNo"),
    )


def _waybill(event: Mapping[str, Any], base: str) -> tuple[str, int | None]:
    (epc,) = event["epcList"]
    waybill, _, piece_no = local_id(epc, f"{base}waybill/").partition("/")
    return waybill, int(piece_no) if piece_no else None
