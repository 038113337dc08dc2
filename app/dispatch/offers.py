"""What it would cost to give a stop to each courier, or to each place of one round; nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.actor import Actor
from app.dispatch.changing import open_draft
from app.dispatch.models import Courier, Plan, StopRequest
from app.dispatch.queries import courier_of_stop
from app.errors import NotFoundError
from routing.pickup import ChangeRefusedError, insertion
from routing.pickup.rules import Rules


@dataclass(frozen=True, slots=True)
class Place:
    """A courier's best place for a stop, and what the whole plan would cost more with it there.

    `delays` are visits whose start moves, in seconds; `sequence` counts from 0.
    """

    courier: Courier
    sequence: int
    start_s: int
    extra_cost_minor: int
    extra_distance_m: int
    delays: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Offers:
    """Where a stop could go, cheapest first.

    `present` is the courier who has it now, None for nobody. `taking_out_minor` is what the plan costs more
    (a negative number: less) without it; None where it is in no round or cannot leave it.
    """

    stop: StopRequest
    present: Courier | None
    places: tuple[Place, ...]
    taking_out_minor: int | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A place in one round, as `sequence` counts there (from 0, the stop itself taken out before).

    Where the stop cannot go there, `reason` and `details` say why and the costs are None.
    """

    sequence: int
    start_s: int | None
    extra_cost_minor: int | None
    extra_distance_m: int | None
    reason: str | None
    details: Mapping[str, Any]
    delays: Mapping[int, int]


def offers(session: Session, actor: Actor, plan: Plan, stop: StopRequest, *, now: datetime) -> Offers:
    """What it would cost to give a stop to each of the couriers; changes nothing.

    Raises:
        ConflictError: the plan cannot be changed, or the stop is not to be made on its day.
    """
    draft = open_draft(session, actor, plan, stop, now)
    name = str(stop.id)
    present = draft.plan.place_of(name)
    without, taken_cost, taken_m, taken_delays = draft.plan, 0, 0, {}
    if present is not None:
        try:
            taken = insertion.remove(draft.problem, draft.plan, name, frozen=draft.frozen, now_s=draft.now_s)
        except ChangeRefusedError:
            return Offers(stop, draft.couriers[int(present[0])], (), None)
        without, taken_cost, taken_m = taken.plan, taken.extra_cost_minor, taken.extra_distance_m
        taken_delays = {int(delay.stop_id): delay.seconds for delay in taken.delays}
    found = insertion.offers(
        draft.problem,
        without,
        draft.problem.stop(name),
        frozen=draft.frozen,
        now_s=draft.now_s,
        limit=len(draft.couriers),
    )
    places = tuple(
        Place(
            courier=draft.couriers[int(offer.vehicle_id)],
            sequence=offer.position,
            start_s=offer.start_s,
            extra_cost_minor=taken_cost + offer.extra_cost_minor,
            extra_distance_m=taken_m + offer.extra_distance_m,
            delays=taken_delays | {int(delay.stop_id): delay.seconds for delay in offer.delays},
        )
        for offer in found
        if (present is None or offer.vehicle_id != present[0]) and int(offer.vehicle_id) not in draft.out
    )
    courier = None if present is None else draft.couriers[int(present[0])]
    locked = draft.problem.stop(name).locked_to is not None
    return Offers(stop, courier, places, None if present is None or locked else taken_cost)


def gaps_of(
    session: Session, actor: Actor, plan: Plan, stop: StopRequest, courier_id: int, *, now: datetime
) -> tuple[Gap, ...]:
    """What each place of a courier's round would cost for a stop, from the first to the last.

    Raises:
        ConflictError: the plan cannot be changed, or the stop is not to be made on its day.
        NotFoundError: the outlet has no such courier.
    """
    # A move touches two rounds: the others cost the same after it, and reading them takes most of the time.
    present_id = courier_of_stop(session, plan, stop)
    touched = {courier_id, courier_id if present_id is None else present_id}
    draft = open_draft(session, actor, plan, stop, now, touched)
    if courier_id not in draft.couriers:
        raise NotFoundError("no such courier at this outlet")
    name = str(stop.id)
    present = draft.plan.place_of(name)
    route = draft.plan.route_of(str(courier_id))
    others = 0 if route is None else len(route.visits)
    if present is not None and present[0] == str(courier_id):
        others -= 1
    found, rules = [], Rules.of(draft.problem)
    for sequence in range(others + 1):
        try:
            moved = insertion.move(
                draft.problem,
                draft.plan,
                name,
                str(courier_id),
                sequence,
                frozen=draft.frozen,
                now_s=draft.now_s,
                rules=rules,
            )
        except ChangeRefusedError as error:
            found.append(Gap(sequence, None, None, None, error.reason, error.parameters, {}))
            continue
        there = moved.plan.route_of(str(courier_id))
        assert there is not None, "it has the stop"
        found.append(
            Gap(
                sequence=sequence,
                start_s=there.visits[sequence].start_s,
                extra_cost_minor=moved.extra_cost_minor,
                extra_distance_m=moved.extra_distance_m,
                reason=None,
                details={},
                delays={int(delay.stop_id): delay.seconds for delay in moved.delays},
            )
        )
    return tuple(found)
