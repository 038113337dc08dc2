"""The last door as machines are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.deliveries import consent, queries, service
from app.deliveries.models import ConsentChannel, Instruction
from app.deliveries.values import Asking
from app.shipments.models import Shipment
from tracking.instructions import InstructionKind, refusal


def instruction_answer(row: Instruction) -> dict[str, Any]:
    """One instruction."""
    return {
        "instruction_id": row.id,
        "waybill_number": row.shipment.waybill_number,
        "kind": row.kind.value,
        "standing": row.standing.value,
        "refusal": None if row.refusal is None else row.refusal.value,
        "asker": row.asker.value,
        "access": row.access.value,
        "asked_at": row.asked_at.isoformat(),
        "decided_at": _moment(row.decided_at),
        "ended_at": _moment(row.ended_at),
        "day": None if row.day is None else row.day.isoformat(),
        "window_from_s": row.window_from_s,
        "window_to_s": row.window_to_s,
        "handover": None if row.handover is None else row.handover.value,
        "facility_id": row.facility_id,
        "district_adcode": row.district_adcode,
        "price_difference_minor": row.price_difference_minor,
        "price_borne_by": None if row.price_borne_by is None else row.price_borne_by.value,
        "currency": row.currency,
        "note": row.note,
    }


def delivery_answer(session: Session, shipment: Shipment, asking: Asking, now: datetime) -> dict[str, Any]:
    """What may be asked about a shipment, what was, and what its consignee consents to."""
    possible = [kind for kind in InstructionKind if refusal(kind, asking.asker, shipment.milestone) is None]
    days = []
    if InstructionKind.REDELIVER in possible:
        days = service.redelivery_days(session, shipment, now)
    return {
        "possible": [kind.value for kind in possible],
        "redelivery_days": [day.isoformat() for day in days],
        "instructions": [instruction_answer(row) for row in queries.instructions_of(session, shipment)],
        "consents": consents_answer(session, shipment),
    }


def consents_answer(session: Session, shipment: Shipment) -> list[dict[str, Any]]:
    """What holds for each way of handing over."""
    words = consent.standing(session, shipment)
    return [
        {
            "channel": channel.value,
            "granted": words[channel].granted if channel in words else channel is ConsentChannel.DOOR,
            "source": words[channel].source.value if channel in words else None,
            "recorded_at": words[channel].recorded_at.isoformat() if channel in words else None,
        }
        for channel in ConsentChannel
    ]


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
