"""A plan's rows as the planner's value, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from app.dispatch.models import (
    Plan,
    PlanRound,
    PlanStatus,
    PlanUnserved,
    PlanVisit,
    StopRequest,
    StopStatus,
)
from routing import pickup
from routing.pickup.assemble import plan_of

FINISHED = frozenset({StopStatus.DONE, StopStatus.FAILED, StopStatus.CANCELLED})


def store(plan: Plan, value: pickup.Plan) -> None:
    """Write a plan's rounds, visits and unserved stops; rows that stay the same are left alone."""
    plan.cost_minor, plan.distance_m = value.cost_minor, value.distance_m
    visits = {visit.stop_request_id: visit for visit in plan.visits}
    rounds = {round_.courier_id: round_ for round_ in plan.rounds}
    unserved = {row.stop_request_id: row for row in plan.unserved}
    plan.rounds = [_round_row(plan, route, rounds) for route in value.routes]
    plan.visits = [row for route in value.routes for row in _visit_rows(plan, route, visits)]
    plan.unserved = [_unserved_row(plan, entry, unserved) for entry in value.unserved]


def plan_value(plan: Plan, problem: pickup.Problem, stops: Mapping[int, StopRequest]) -> pickup.Plan:
    """A stored plan as the planner takes it, its routes in the problem's order of vehicles."""
    by_courier: dict[int, list[PlanVisit]] = {}
    for visit in sorted(plan.visits, key=lambda visit: (visit.courier_id, visit.sequence)):
        by_courier.setdefault(visit.courier_id, []).append(visit)
    rounds = {round_.courier_id: round_ for round_ in plan.rounds}
    order = (int(vehicle.vehicle_id) for vehicle in problem.vehicles)
    routes = tuple(
        _route(rounds[courier_id], by_courier[courier_id], stops)
        for courier_id in order
        if courier_id in rounds
    )
    unserved = tuple(
        pickup.Unserved(
            str(row.stop_request_id),
            pickup.ReasonCode(row.reason),
            {key: tuple(value) if isinstance(value, list) else value for key, value in row.details.items()},
        )
        for row in sorted(plan.unserved, key=lambda row: row.stop_request_id)
    )
    return plan_of(routes, unserved, "stored", 0.0)


def _route(round_: PlanRound, visits: Sequence[PlanVisit], stops: Mapping[int, StopRequest]) -> pickup.Route:
    in_order = [stops[visit.stop_request_id] for visit in visits]
    loads = loads_after(in_order)
    return pickup.Route(
        vehicle_id=str(round_.courier_id),
        visits=tuple(
            pickup.Visit(
                stop_id=str(visit.stop_request_id),
                arrival_s=visit.arrival_s,
                start_s=visit.start_s,
                wait_s=visit.start_s - visit.arrival_s,
                departure_s=visit.departure_s,
                distance_m_from_previous=visit.distance_m,
                load_after_g=load[0],
                load_after_cm3=load[1],
                load_after_pieces=load[2],
            )
            for visit, load in zip(visits, loads, strict=True)
        ),
        start_s=round_.start_s,
        end_s=round_.end_s,
        distance_m=round_.distance_m,
        duration_s=round_.end_s - round_.start_s,
        cost_minor=round_.cost_minor,
    )


def loads_after(stops: Sequence[StopRequest]) -> list[tuple[int, int, int]]:
    """Grams, cubic centimetres and pieces aboard after each stop of a round.

    What is to be delivered is aboard from the start, what is picked up stays until the end.
    """
    aboard = [0, 0, 0]
    amounts = [(stop.weight_g, stop.volume_cm3, stop.pieces) for stop in stops]
    for stop, amount in zip(stops, amounts, strict=True):
        if stop.kind.brings:
            aboard = [have + part for have, part in zip(aboard, amount, strict=True)]
    found = []
    for stop, amount in zip(stops, amounts, strict=True):
        sign = -1 if stop.kind.brings else 1
        aboard = [have + sign * part for have, part in zip(aboard, amount, strict=True)]
        found.append((aboard[0], aboard[1], aboard[2]))
    return found


def frozen_visits(plan: Plan, stops: Mapping[int, StopRequest], now_s: int) -> dict[str, int]:
    """How many visits of each round are fixed: up to the last finished one, and the one being driven to."""
    if plan.status is not PlanStatus.PUBLISHED:
        return {}
    starts = {round_.courier_id: round_.start_s for round_ in plan.rounds}
    visits: dict[int, list[PlanVisit]] = {}
    for visit in plan.visits:
        visits.setdefault(visit.courier_id, []).append(visit)
    frozen = {}
    for courier_id, row in visits.items():
        row.sort(key=lambda visit: visit.sequence)
        finished = [
            place for place, visit in enumerate(row) if stops[visit.stop_request_id].status in FINISHED
        ]
        count = finished[-1] + 1 if finished else 0
        if now_s >= starts[courier_id]:
            count = min(count + 1, len(row))
        frozen[str(courier_id)] = count
    return frozen


def _round_row(plan: Plan, route: pickup.Route, rows: Mapping[int, PlanRound]) -> PlanRound:
    courier_id = int(route.vehicle_id)
    row = rows.get(courier_id) or PlanRound(tenant_id=plan.tenant_id, courier_id=courier_id)
    row.start_s, row.end_s = route.start_s, route.end_s
    row.distance_m, row.cost_minor = route.distance_m, route.cost_minor
    return row


def _visit_rows(plan: Plan, route: pickup.Route, rows: Mapping[int, PlanVisit]) -> Iterable[PlanVisit]:
    for sequence, visit in enumerate(route.visits):
        stop_id = int(visit.stop_id)
        row = rows.get(stop_id) or PlanVisit(tenant_id=plan.tenant_id, stop_request_id=stop_id, locked=False)
        row.courier_id, row.sequence = int(route.vehicle_id), sequence
        row.arrival_s, row.start_s, row.departure_s = visit.arrival_s, visit.start_s, visit.departure_s
        row.distance_m = visit.distance_m_from_previous
        yield row


def _unserved_row(plan: Plan, entry: pickup.Unserved, rows: Mapping[int, PlanUnserved]) -> PlanUnserved:
    stop_id = int(entry.stop_id)
    row = rows.get(stop_id) or PlanUnserved(tenant_id=plan.tenant_id, stop_request_id=stop_id)
    row.reason, row.details = entry.reason.value, dict(entry.parameters)
    return row
