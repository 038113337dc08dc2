"""A plan's rows as the planner's value, and back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.dispatch.models import (
    Plan,
    PlanRound,
    PlanStatus,
    PlanUnserved,
    PlanVisit,
    StopStatus,
)
from routing import pickup
from routing.pickup.assemble import plan_of

WAITING = (StopStatus.OPEN, StopStatus.PLANNED)
"""Somebody still has to go there."""
MADE = frozenset({StopStatus.DONE, StopStatus.FAILED})
"""The courier was there."""
FINISHED = MADE | {StopStatus.CANCELLED}


def store(plan: Plan, value: pickup.Plan) -> None:
    """Write a plan's rounds, visits and unserved stops; rows that stay the same are left alone."""
    plan.cost_minor, plan.distance_m = value.cost_minor, value.distance_m
    visits = {visit.stop_request_id: visit for visit in plan.visits}
    rounds = {round_.courier_id: round_ for round_ in plan.rounds}
    unserved = {row.stop_request_id: row for row in plan.unserved}
    plan.rounds = [_round_row(plan, route, rounds) for route in value.routes]
    plan.visits = [row for route in value.routes for row in _visit_rows(plan, route, visits)]
    plan.unserved = [_unserved_row(plan, entry, unserved) for entry in value.unserved]


@dataclass(frozen=True, slots=True)
class Rows:
    """A plan's rows by the names of their columns: at thousands of visits mapped objects take too long.

    `visits` are the rounds' visits by courier, in the order of visit.
    """

    rounds: Mapping[int, Row[Any]]
    visits: Mapping[int, Sequence[Row[Any]]]
    unserved: Sequence[Row[Any]]

    @property
    def stop_ids(self) -> frozenset[int]:
        """Every stop that the plan knows."""
        visited = (visit.stop_request_id for visits in self.visits.values() for visit in visits)
        return frozenset(visited) | {row.stop_request_id for row in self.unserved}


def rows_of(session: Session, plan_id: int, courier_ids: Collection[int] | None = None) -> Rows:
    """Read a plan, or the rounds of some couriers of it, in three statements."""
    rounds = sa.select(*PlanRound.__table__.c).where(PlanRound.plan_id == plan_id)
    visits = (
        sa.select(*PlanVisit.__table__.c)
        .where(PlanVisit.plan_id == plan_id)
        .order_by(PlanVisit.courier_id, PlanVisit.sequence)
    )
    if courier_ids is not None:
        rounds = rounds.where(PlanRound.courier_id.in_(courier_ids))
        visits = visits.where(PlanVisit.courier_id.in_(courier_ids))
    unserved = (
        sa.select(*PlanUnserved.__table__.c)
        .where(PlanUnserved.plan_id == plan_id)
        .order_by(PlanUnserved.stop_request_id)
    )
    by_courier: dict[int, list[Row[Any]]] = {}
    for visit in session.execute(visits):
        by_courier.setdefault(visit.courier_id, []).append(visit)
    in_rounds = {round_.courier_id: round_ for round_ in session.execute(rounds)}
    return Rows(in_rounds, by_courier, session.execute(unserved).all())


def plan_value(rows: Rows, problem: pickup.Problem, stops: Mapping[int, Any]) -> pickup.Plan:
    """A stored plan as the planner takes it, its routes in the problem's order of vehicles."""
    order = (int(vehicle.vehicle_id) for vehicle in problem.vehicles)
    routes = tuple(
        _route(rows.rounds[courier_id], rows.visits[courier_id], stops)
        for courier_id in order
        if courier_id in rows.rounds
    )
    unserved = tuple(
        pickup.Unserved(
            str(row.stop_request_id),
            pickup.ReasonCode(row.reason),
            {key: tuple(value) if isinstance(value, list) else value for key, value in row.details.items()},
        )
        for row in rows.unserved
    )
    return plan_of(routes, unserved, "stored", 0.0)


def _route(round_: Row[Any], visits: Sequence[Row[Any]], stops: Mapping[int, Any]) -> pickup.Route:
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
        rests=tuple(pickup.Rest(*rest) for rest in round_.rests),
    )


def loads_after(stops: Sequence[Any]) -> list[tuple[int, int, int]]:
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


def frozen_visits(status: PlanStatus, rows: Rows, stops: Mapping[int, Any], now_s: int) -> dict[str, int]:
    """How many visits of each round are fixed: up to the last one made, and the one being driven to."""
    if status is not PlanStatus.PUBLISHED:
        return {}
    frozen = {}
    for courier_id, visits in rows.visits.items():
        made = [place for place, visit in enumerate(visits) if stops[visit.stop_request_id].status in MADE]
        count = made[-1] + 1 if made else 0
        if now_s >= rows.rounds[courier_id].start_s:
            count = min(count + 1, len(visits))
        frozen[str(courier_id)] = count
    return frozen


def _round_row(plan: Plan, route: pickup.Route, rows: Mapping[int, PlanRound]) -> PlanRound:
    courier_id = int(route.vehicle_id)
    row = rows.get(courier_id) or PlanRound(tenant_id=plan.tenant_id, courier_id=courier_id)
    row.start_s, row.end_s = route.start_s, route.end_s
    row.distance_m, row.cost_minor = route.distance_m, route.cost_minor
    row.rests = [[rest.break_id, rest.after_visits, rest.start_s, rest.end_s] for rest in route.rests]
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
