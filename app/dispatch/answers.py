"""What the machine's door answers: plain values of plans, stops and rounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.dispatch.journal import Named
from app.dispatch.models import Plan, PlanVisit, StopRequest
from app.dispatch.runs import Run
from app.dispatch.service import Gap, Moved, Offers


def stop_answer(stop: StopRequest, number: str) -> dict[str, Any]:
    """A stop with the parcel it is for."""
    return {
        "id": stop.id,
        "number": number,
        "facility_id": stop.facility_id,
        "kind": stop.kind,
        "status": stop.status,
        "day": stop.day.isoformat(),
        "window_from_s": stop.window_from_s,
        "window_to_s": stop.window_to_s,
        "service_s": stop.service_s,
        "latitude": stop.latitude,
        "longitude": stop.longitude,
        "contact_name": stop.contact_name,
        "contact_phone": stop.contact_phone,
        "address": stop.address,
        "weight_g": stop.weight_g,
        "volume_cm3": stop.volume_cm3,
        "pieces": stop.pieces,
        "priority": stop.priority,
        "skills": stop.skills,
        "place_corrected_at": (
            None if stop.place_corrected_at is None else stop.place_corrected_at.isoformat()
        ),
    }


def plan_answer(plan: Plan) -> dict[str, Any]:
    """A plan: how far it has come, and once it is solved its rounds and what they leave out."""
    visits: dict[int, list[PlanVisit]] = {}
    for visit in plan.visits:
        visits.setdefault(visit.courier_id, []).append(visit)
    return {
        "id": plan.id,
        "facility_id": plan.facility_id,
        "day": plan.day.isoformat(),
        "status": plan.status,
        "version": plan.version,
        "seconds": plan.seconds,
        "even_rounds": plan.even,
        "requested_at": plan.requested_at.isoformat(),
        "solved_at": None if plan.solved_at is None else plan.solved_at.isoformat(),
        "published_at": None if plan.published_at is None else plan.published_at.isoformat(),
        "best_cost_minor": plan.best_cost_minor,
        "best_unserved": plan.best_unserved,
        "curve": [
            {"seconds": seconds, "cost_minor": cost_minor, "unserved": unserved}
            for seconds, cost_minor, unserved in plan.curve
        ],
        "cost_minor": plan.cost_minor,
        "distance_m": plan.distance_m,
        "error": plan.error,
        "rounds": [
            {
                "courier_id": round_.courier_id,
                "start_s": round_.start_s,
                "end_s": round_.end_s,
                "distance_m": round_.distance_m,
                "cost_minor": round_.cost_minor,
                "breaks": [{"start_s": start_s, "end_s": end_s} for _key, _n, start_s, end_s in round_.rests],
                "visits": [
                    visit_answer(visit)
                    for visit in sorted(visits[round_.courier_id], key=lambda visit: visit.sequence)
                ],
            }
            for round_ in plan.rounds
        ],
        "unserved": [
            {"stop_id": row.stop_request_id, "reason": row.reason, "details": row.details}
            for row in plan.unserved
        ],
    }


def visit_answer(visit: PlanVisit) -> dict[str, Any]:
    """A stop in a round."""
    return {
        "stop_id": visit.stop_request_id,
        "arrival_s": visit.arrival_s,
        "start_s": visit.start_s,
        "departure_s": visit.departure_s,
        "distance_m": visit.distance_m,
        "locked": visit.locked,
    }


def offers_answer(offers: Offers) -> dict[str, Any]:
    """Where a stop could go, cheapest first."""
    return {
        "stop_id": offers.stop.id,
        "courier_id": None if offers.present is None else offers.present.id,
        "taking_out_minor": offers.taking_out_minor,
        "offers": [
            {
                "courier_id": place.courier.id,
                "sequence": place.sequence,
                "start_s": place.start_s,
                "extra_cost_minor": place.extra_cost_minor,
                "extra_distance_m": place.extra_distance_m,
                "delays": _delays(place.delays),
            }
            for place in offers.places
        ],
    }


def gaps_answer(stop: StopRequest, courier_id: int, gaps: Iterable[Gap]) -> dict[str, Any]:
    """What each place of a courier's round would cost for a stop."""
    return {
        "stop_id": stop.id,
        "courier_id": courier_id,
        "gaps": [
            {
                "sequence": gap.sequence,
                "start_s": gap.start_s,
                "extra_cost_minor": gap.extra_cost_minor,
                "extra_distance_m": gap.extra_distance_m,
                "reason": gap.reason,
                "details": dict(gap.details),
                "delays": _delays(gap.delays),
            }
            for gap in gaps
        ],
    }


def moved_answer(plan: Plan, moved: Moved) -> dict[str, Any]:
    """What a move cost, and the version it made."""
    return {
        "plan_id": plan.id,
        "version": plan.version,
        "extra_cost_minor": moved.extra_cost_minor,
        "extra_distance_m": moved.extra_distance_m,
        "delays": _delays(moved.delays),
    }


def edits_answer(plan: Plan, edits: Iterable[Named]) -> dict[str, Any]:
    """What was changed by hand in a plan, latest first."""
    return {
        "plan_id": plan.id,
        "version": plan.version,
        "items": [
            {
                "id": one.edit.id,
                "state": one.edit.state,
                "action": one.edit.action,
                "made_at": one.edit.made_at.isoformat(),
                "by": one.by,
                "version": one.edit.version,
                "stop_id": one.edit.details.get("stop_id"),
                "stop": one.stop,
                "from_courier_id": one.edit.details.get("from_courier_id"),
                "from_courier": one.from_courier,
                "to_courier_id": one.edit.details.get("to_courier_id"),
                "to_courier": one.to_courier,
            }
            for one in edits
        ],
    }


def run_answer(run: Run) -> dict[str, Any]:
    """A courier's round, in the order of visit."""
    return {
        "courier_id": run.courier.id,
        "facility_id": run.facility.id,
        "day": run.day.isoformat(),
        "utc_offset_minutes": run.facility.utc_offset_minutes,
        "left": run.left,
        "breaks": [{"start_s": start_s, "end_s": end_s} for start_s, end_s in run.rests],
        "visits": [
            {
                **visit_answer(one.visit),
                **stop_answer(one.stop, one.waybill_number),
                "due_minor": one.due_minor,
                "currency": one.currency,
            }
            for one in run.stops
        ],
        "cancelled": [stop_answer(stop, number) for stop, number in run.cancelled],
        "version": run.version,
    }


def _delays(delays: Mapping[int, int]) -> list[dict[str, int]]:
    return [{"stop_id": stop_id, "seconds": seconds} for stop_id, seconds in delays.items()]
