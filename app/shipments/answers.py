"""Shipments as the machine's door answers them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.customers.identities import local_phone
from app.masking import mask_address, mask_name, mask_phone
from app.shipments.models import DeliveryProof, ScanRecord, Shipment
from app.shipments.story import Story
from tracking.mappings import foreign


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


def track_answer(
    story: Story, sentence: str, *, access: str, proofs: Sequence[DeliveryProof] | None
) -> dict[str, Any]:
    """What everybody may know; with `proofs` also the details."""
    shipment, state = story.shipment, story.state
    words = foreign(state.milestone, state.code, state.reason)
    opened = proofs is not None
    return {
        "waybill_number": shipment.waybill_number,
        "milestone": shipment.milestone.value,
        "code": shipment.code.value,
        "sentence": sentence,
        "promised_from": shipment.promised_from_at.isoformat(),
        "promised_to": shipment.promised_to_at.isoformat(),
        **expected_answer(story),
        "events": [_event(story, place, opened=opened) for place in _shown(story)],
        "vocabularies": {
            "aftership": list(words.aftership),
            "easypost": list(words.easypost),
            "shipengine": list(words.shipengine),
            "17track": list(words.seventeentrack),
            **({} if words.kdniao is None else {"kdniao": [words.kdniao]}),
        },
        "details_access": access,
        "details": None
        if proofs is None
        else {
            **ends_answer(shipment),
            "goods": shipment.goods,
            "pieces": shipment.pieces,
            "weight_g": shipment.weight_g,
            "cod_minor": shipment.cod_minor,
            "currency": shipment.currency,
            "proofs": proofs_answer(proofs, masked=True),
        },
    }


def expected_answer(story: Story) -> dict[str, str | None]:
    """When it is expected now, if it still is."""
    start, end = story.expected or (None, None)
    return {
        "expected_from": None if start is None else start.isoformat(),
        "expected_to": None if end is None else end.isoformat(),
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


def _shown(story: Story) -> list[int]:
    return [
        place
        for place, event in enumerate(story.events)
        if not event.corrected and event.code.value != "voided"
    ]


def _event(story: Story, place: int, *, opened: bool) -> dict[str, Any]:
    event = story.events[place]
    facility = None if event.facility_id is None else story.facilities[event.facility_id]
    return {
        "code": event.code.value,
        "at": event.at.isoformat(),
        "offset_minutes": event.offset_minutes,
        "city": None if facility is None else facility.district.city_name,
        "place": facility.name if facility is not None and opened else None,
        "planned": event.planned,
    }
