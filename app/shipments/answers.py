"""Shipments as the machine's door answers them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from app import i18n
from app.customers.identities import local_phone
from app.masking import mask_address, mask_name, mask_phone
from app.shipments import queries
from app.shipments.documents import documents
from app.shipments.forwarding import Forwarded, forwardings_of
from app.shipments.models import DeliveryProof, ScanRecord, Shipment
from app.shipments.story import Story
from app.web import now


def shipment_answer(shipment: Shipment) -> dict[str, Any]:
    """A shipment in a list."""
    return {
        "waybill_number": shipment.waybill_number,
        "reference": shipment.reference,
        "milestone": shipment.milestone.value,
        "code": shipment.code.value,
        "since": shipment.state_since.isoformat(),
        "facility_id": shipment.state_facility_id,
        "service": shipment.service.value,
        "pieces": shipment.pieces,
        "weight_g": shipment.weight_g,
        "cod_minor": shipment.cod_minor,
        "door_charge_minor": shipment.door_charge_minor,
        "declared_value_minor": shipment.declared_value_minor,
        "currency": shipment.currency,
        "pickup_handover": shipment.pickup_handover.value,
        "delivery_handover": shipment.delivery_handover.value,
        "booked_at": shipment.booked_at.isoformat(),
        "promised_from": shipment.promised_from_at.isoformat(),
        "promised_to": shipment.promised_to_at.isoformat(),
        "delivered_at": None if shipment.delivered_at is None else shipment.delivered_at.isoformat(),
        "receipt_confirmed_at": None
        if shipment.receipt_confirmed_at is None
        else shipment.receipt_confirmed_at.isoformat(),
    }


def detail_answer(
    story: Story, records: Iterable[ScanRecord], proofs: Iterable[DeliveryProof]
) -> dict[str, Any]:
    """A shipment with its way and everything that was scanned."""
    shipment = story.shipment
    corrected = {event.scan_key for event in story.events if event.corrected}
    return {
        **shipment_answer(shipment),
        **expected_answer(story),
        "goods": shipment.goods,
        **ends_answer(shipment),
        "legs": [
            {
                "sequence": leg.sequence,
                "from_facility_id": leg.from_facility_id,
                "to_facility_id": leg.to_facility_id,
                "mode": leg.mode.value,
                "distance_m": leg.distance_m,
                "planned_departure_at": leg.planned_departure_at.isoformat(),
                "planned_arrival_at": leg.planned_arrival_at.isoformat(),
            }
            for leg in story.legs
        ],
        "scans": [
            {
                "scan_key": record.scan_key,
                "code": record.code.value,
                "occurred_at": record.occurred_at.isoformat(),
                "offset_minutes": record.offset_minutes,
                "facility_id": record.facility_id,
                "courier_id": record.courier_id,
                "reason": record.reason,
                "piece_no": record.piece_no,
                "corrects": record.corrects,
                "corrected": record.scan_key in corrected,
            }
            for record in records
        ],
        "proofs": proofs_answer(proofs),
    }


def opened_answer(session: Session, shipment: Shipment) -> bytes:
    """The public document with places and details, for whom they are open; as text.

    It tells what is committed: what the session has written itself is not yet in it.
    """
    document = documents().one(shipment.waybill_number, language=i18n.current(), now=now(), places=True)
    assert document is not None, "a shipment that was loaded is there"
    told: dict[str, Any] = msgspec.json.decode(document)
    details = {
        **ends_answer(shipment),
        "goods": shipment.goods,
        "pieces": shipment.pieces,
        "weight_g": shipment.weight_g,
        "cod_minor": shipment.cod_minor,
        "door_charge_minor": shipment.door_charge_minor,
        "currency": shipment.currency,
        "proofs": proofs_answer(queries.proofs(session, shipment), masked=True),
        "fetch_at": _fetch_at(session, shipment),
        "forwardings": [forwarded_answer(one) for one in forwardings_of(session, shipment)],
    }
    return msgspec.json.encode(told | {"details_access": "open", "details": details})


def forwarded_answer(forwarded: Forwarded) -> dict[str, Any]:
    """Under which number another carrier has it."""
    return asdict(forwarded) | {"forwarded_at": forwarded.forwarded_at.isoformat()}


def _fetch_at(session: Session, shipment: Shipment) -> dict[str, str | None] | None:
    """Where it waits for its consignee, and until when that is open; None where it does not wait."""
    place = queries.waits_at(session, shipment)
    if place is None:
        return None
    hours = place.working_hours(one.day for one in place.holidays)
    open_until, opens_at = hours.open_until(now()), hours.opens_next(now())
    return {
        "name": place.name,
        "open_until": None if open_until is None else open_until.isoformat(),
        "opens_at": None if opens_at is None else opens_at.isoformat(),
    }


def expected_answer(story: Story) -> dict[str, Any]:
    """When it is expected now, if it still is, and when the courier is, if one is on his way."""
    start, end = story.expected or (None, None)
    comes = story.comes
    return {
        "expected_from": None if start is None else start.isoformat(),
        "expected_to": None if end is None else end.isoformat(),
        "expected_without_news": story.unheard,
        "round": None
        if comes is None
        else {
            "from": comes.from_at.isoformat(),
            "to": comes.to_at.isoformat(),
            "stops_away": comes.stops_away,
        },
    }


def ends_answer(shipment: Shipment) -> dict[str, dict[str, str]]:
    """Both ends, masked."""
    return {
        "sender": {
            "name": mask_name(shipment.sender_name),
            "phone": mask_phone(local_phone(shipment.sender_phone)),
            "district_adcode": shipment.sender_district_adcode,
            "address": mask_address(shipment.sender_address),
        },
        "consignee": {
            "name": mask_name(shipment.consignee_name),
            "phone": mask_phone(local_phone(shipment.consignee_phone)),
            "district_adcode": shipment.consignee_district_adcode,
            "address": mask_address(shipment.consignee_address),
        },
    }


def proofs_answer(proofs: Iterable[DeliveryProof], *, masked: bool = False) -> list[dict[str, Any]]:
    """How deliveries are proved, without the pictures."""
    return [
        {
            "scan_key": proof.scan_key,
            "kind": proof.kind.value,
            "received_by": mask_name(proof.received_by) if masked else proof.received_by,
            "content_type": proof.content_type,
            "at": proof.at.isoformat(),
        }
        for proof in proofs
    ]
