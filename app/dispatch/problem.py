"""What the planner is given: a day's stops and couriers, or a stored plan and what of it is fixed."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.db import arrays
from app.dispatch.breaks import breaks_in, breaks_planned
from app.dispatch.day.learned import Learned, load_learned
from app.dispatch.ground import NOWHERE, Ground, Spot, as_planned, load_ground
from app.dispatch.models import (
    Courier,
    Plan,
    PlanStatus,
    PlanVisit,
    StopKind,
    StopRequest,
    StopStatus,
)
from app.dispatch.roster import Duty, roster
from app.dispatch.stored import FINISHED, frozen_visits, plan_value, rows_of
from app.network.models import Facility
from app.shipments.models import Shipment
from routing import pickup
from tracking.shipment import Milestone, ScanCode

COST_CURRENCY = "CNY"
COST_PER_HOUR_MINOR = 2500
COST_PER_KM_MINOR = 60
"""What an hour of a courier and a kilometre of his vehicle cost; plans are compared by it, nobody is paid."""
EVEN_COST_PER_HOUR_MINOR = 2 * COST_PER_HOUR_MINOR  # where rounds are to be even: beyond a fair share
DAY_S = 24 * 3600


def second_of_day(now: datetime, day: date, offset_minutes: int) -> int:
    """Seconds from a local day's midnight until now; negative before it."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(minutes=offset_minutes)
    return int((now - midnight).total_seconds())


def problem_to_solve(session: Session, plan: Plan, *, now: datetime) -> pickup.Problem:
    """All stops of the plan's day that somebody still has to make, and who can.

    A parcel that is out with a courier stays his, and so does a stop locked in the plan in force. Nothing is
    planned before now.
    """
    facility = session.get_one(Facility, plan.facility_id)
    now_s = second_of_day(now, plan.day, facility.utc_offset_minutes)
    duties = [
        duty
        for duty in roster(session, plan.facility_id, plan.day)
        if duty.takes_stops and now_s < duty.shift_end_s
    ]
    rows = session.execute(
        sa.select(StopRequest, Shipment.milestone, Shipment.code, Shipment.state_courier_id)
        .outerjoin(Shipment, Shipment.id == StopRequest.shipment_id)
        .where(
            StopRequest.facility_id == plan.facility_id,
            StopRequest.day == plan.day,
            StopRequest.status.in_((StopStatus.OPEN, StopStatus.PLANNED)),
        )
        .order_by(StopRequest.id)
    ).all()
    bound = _locks_in_force(session, plan)
    learned = load_learned(session, at=plan.requested_at, stops=[row.StopRequest for row in rows])
    for stop, milestone, code, courier_id in rows:
        delivers = milestone is Milestone.OUT_FOR_DELIVERY and stop.kind is StopKind.DELIVERY
        # On its way back to the sender a parcel stays so while it is out with a courier.
        returns = code is ScanCode.OUT_FOR_DELIVERY and stop.kind is StopKind.RETURN
        if (delivers or returns) and courier_id is not None:
            bound[stop.id] = courier_id
    known = {duty.courier.id for duty in duties}
    ground = load_ground(session, plan.facility_id)
    spots = ground.spots_of({stop.id: (stop.latitude, stop.longitude) for stop, *_rest in rows})
    stops = tuple(
        _stop(stop, bound.get(stop.id), known, learned, spots.get(stop.id, NOWHERE)) for stop, *_rest in rows
    )
    vehicles = tuple(
        _vehicle(duty, facility, (max(duty.shift_start_s, now_s), duty.shift_end_s), learned, ground)
        for duty in duties
    )
    return pickup.Problem(stops, vehicles, restrictions=ground.closed_to(stops, vehicles))


@dataclass(frozen=True, slots=True)
class Draft:
    """A stored plan as the planner's values, ready to be changed.

    `frozen` and `now_s` are as `routing.pickup.insertion` takes them; who is `out` takes nothing more. Stops
    that are asked about beside those it knows are put on its `ground`.
    """

    problem: pickup.Problem
    plan: pickup.Plan
    frozen: Mapping[str, int]
    now_s: int
    stops: Mapping[int, Row[Any]]
    couriers: Mapping[int, Courier]
    out: frozenset[int]
    ground: Ground


def draft_of(
    session: Session,
    plan: Plan,
    *,
    now: datetime,
    also: Iterable[int] = (),
    courier_ids: Collection[int] | None = None,
) -> Draft:
    """Read a stored plan.

    Args:
        session: of the plan's tenant.
        plan: as it is written; what was changed and not yet sent is sent first.
        now: what is fixed by now in a published plan cannot be changed.
        also: ids of stops that are not in the plan and are to be known beside it.
        courier_ids: read the rounds of these alone; None: all.
    """
    facility = session.get_one(Facility, plan.facility_id)
    now_s = max(0, second_of_day(now, plan.day, facility.utc_offset_minutes))
    rows = rows_of(session, plan.id, courier_ids)
    stops: dict[int, Row[Any]] = {
        stop.id: stop
        for stop in session.execute(
            sa.select(*StopRequest.__table__.c)
            .where(StopRequest.id == arrays.any_of(rows.stop_ids | set(also)))
            .order_by(StopRequest.id)
        )
    }
    duties = {
        duty.courier.id: duty
        for duty in roster(session, plan.facility_id, plan.day)
        if (duty.courier.active or duty.courier.id in rows.rounds)
        and (courier_ids is None or duty.courier.id in courier_ids)
    }
    couriers = {courier_id: duty.courier for courier_id, duty in duties.items()}
    visited = [visit for visits in rows.visits.values() for visit in visits]
    locks = {visit.stop_request_id: visit.courier_id for visit in visited if visit.locked}
    # As when the plan was made: what was learned since moves none of its times.
    learned = load_learned(session, at=plan.requested_at, stops=stops.values())
    driven_s = now_s if plan.status is PlanStatus.PUBLISHED else None
    made = {
        visit.stop_request_id: visit for visit in visited if _is_behind(stops[visit.stop_request_id], plan)
    }
    ground = load_ground(session, plan.facility_id)
    spots = ground.spots_of({stop.id: _place(stop, made.get(stop.id)) for stop in stops.values()})
    problem = pickup.Problem(
        stops=tuple(
            _made_stop(stop, made[stop.id], spots.get(stop.id, NOWHERE))
            if stop.id in made
            else _stop(stop, locks.get(stop.id), couriers.keys(), learned, spots.get(stop.id, NOWHERE))
            for stop in stops.values()
        ),
        vehicles=tuple(
            _driving(
                _vehicle(duty, facility, _shift(duty, rows.rounds.get(courier_id)), learned, ground),
                rows.rounds.get(courier_id),
                [stops[visit.stop_request_id] for visit in rows.visits.get(courier_id, ())],
                driven_s,
            )
            for courier_id, duty in duties.items()
        ),
        restrictions=ground.restrictions,
    )
    problem, value = as_planned(problem, plan_value(rows, problem, stops))
    out = frozenset(courier_id for courier_id, duty in duties.items() if not duty.takes_stops)
    frozen = frozen_visits(plan.status, rows, stops, now_s)
    return Draft(problem, value, frozen, now_s, stops, couriers, out, ground)


def _shift(duty: Duty, round_: Row[Any] | None) -> tuple[int, int]:
    """The day's shift, or what an older plan gave him of time where that is more: it stays as it is."""
    if round_ is None:
        return duty.shift_start_s, duty.shift_end_s
    return min(duty.shift_start_s, round_.start_s), max(duty.shift_end_s, round_.end_s)


def couriers_of(session: Session, facility_id: int) -> Sequence[Courier]:
    """Every courier of an outlet by code, those that no longer work there too."""
    return session.scalars(
        sa.select(Courier).where(Courier.facility_id == facility_id).order_by(Courier.code)
    ).all()


def _locks_in_force(session: Session, plan: Plan) -> dict[int, int]:
    rows = session.execute(
        sa.select(PlanVisit.stop_request_id, PlanVisit.courier_id)
        .join(Plan, Plan.id == PlanVisit.plan_id)
        .where(
            Plan.facility_id == plan.facility_id,
            Plan.day == plan.day,
            Plan.status == PlanStatus.PUBLISHED,
            PlanVisit.locked,
        )
    )
    return dict(rows.all())


def stop_of(session: Session, plan: Plan, stop: StopRequest, *, locked_to: str | None) -> pickup.Stop:
    """A stop as it stands now, as a draft of the plan has it."""
    learned = load_learned(session, at=plan.requested_at, stops=[stop])
    fresh = replace(_stop(stop, None, (), learned, NOWHERE), locked_to=locked_to)
    return load_ground(session, plan.facility_id).placed(fresh)


def _stop(
    stop: StopRequest | Row[Any],
    courier_id: int | None,
    known: Container[int],
    learned: Learned,
    spot: Spot,
) -> pickup.Stop:
    return pickup.Stop(
        stop_id=str(stop.id),
        latitude=stop.latitude,
        longitude=stop.longitude,
        service_s=learned.service_s(stop),
        windows=((stop.window_from_s, stop.window_to_s),),
        weight_g=stop.weight_g,
        volume_cm3=stop.volume_cm3,
        pieces=stop.pieces,
        priority=stop.priority,
        skills=frozenset(stop.skills),
        kind=pickup.StopKind.DELIVERY if stop.kind.brings else pickup.StopKind.PICKUP,
        locked_to=str(courier_id) if courier_id is not None and courier_id in known else None,
        area=spot.area,
        district=spot.district,
    )


def _is_behind(stop: Row[Any], plan: Plan) -> bool:
    """Whether a visit is history for its plan: whatever became of the stop since changes nothing of it."""
    return stop.status in FINISHED or stop.day != plan.day or stop.facility_id != plan.facility_id


def _place(stop: Row[Any], visit: Row[Any] | None) -> tuple[float, float]:
    """Where a stop is, or where it was planned, if its plan has it behind it and it was corrected since."""
    if visit is None or visit.latitude is None:
        return stop.latitude, stop.longitude
    return visit.latitude, visit.longitude


def _made_stop(stop: Row[Any], visit: Row[Any], spot: Spot) -> pickup.Stop:
    """A stop that is behind its courier, or is made another day, as it was planned."""
    latitude, longitude = _place(stop, visit)
    return pickup.Stop(
        stop_id=str(stop.id),
        latitude=latitude,
        longitude=longitude,
        service_s=visit.departure_s - visit.start_s,
        weight_g=stop.weight_g,
        volume_cm3=stop.volume_cm3,
        pieces=stop.pieces,
        priority=stop.priority,
        kind=pickup.StopKind.DELIVERY if stop.kind.brings else pickup.StopKind.PICKUP,
        district=spot.district,
    )


def _driving(
    vehicle: pickup.Vehicle, round_: Row[Any] | None, stops: Sequence[Row[Any]], driven_s: int | None
) -> pickup.Vehicle:
    """A courier with the breaks and skills that his stored round was planned with, where he has one."""
    if round_ is None:
        return vehicle
    return replace(
        vehicle,
        breaks=breaks_planned(round_.rests, driven_s),
        skills=vehicle.skills.union(*(stop.skills for stop in stops)),
    )


def _vehicle(
    duty: Duty, facility: Facility, shift: tuple[int, int], learned: Learned, ground: Ground
) -> pickup.Vehicle:
    courier = duty.courier
    outlet = (facility.latitude, facility.longitude)
    return pickup.Vehicle(
        vehicle_id=str(courier.id),
        start=outlet,
        end=outlet,
        shift=shift,
        capacity_g=courier.capacity_g,
        capacity_cm3=courier.capacity_cm3,
        capacity_pieces=courier.capacity_pieces,
        skills=frozenset(courier.skills),
        breaks=breaks_in(courier.breaks, shift),
        speed_factor=learned.speed_factor(courier),
        cost_per_hour=COST_PER_HOUR_MINOR,
        cost_per_km=COST_PER_KM_MINOR,
        **ground.of_courier(courier),
    )
