"""VROOM's JSON out: rounds as routes with steps, in VROOM's field names and units.

Beyond VROOM's fields an unassigned task carries the `reason` code of `plan.ReasonCode`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from routing.pickup.errors import ProblemError
from routing.pickup.plan import Plan, Route, Visit
from routing.pickup.problem import Stop
from routing.pickup.solve import Options, solve
from routing.pickup.vroom import Translation
from routing.pickup.vroom_form import FormStep
from routing.pickup.vroom_steps import Step, Steps, steps_of

OK, INPUT_ERROR = 0, 2
TASKS = ("job", "pickup", "delivery")


def solved(translation: Translation, options: Options) -> bytes:
    """Solve a VROOM document and answer in VROOM's form.

    Args:
        translation: the document.
        options: limits and seed. Rounds that the vehicles' `steps` give are what the search starts from.

    Raises:
        ProblemError: a step names no task of the document.
    """
    initial = options.initial or initial_plan(translation)
    plan = solve(
        translation.problem,
        Options(options.seconds, options.seed, options.steps, options.progress, initial),
    )
    reasons = {unserved.stop_id: unserved.reason.value for unserved in plan.unserved}
    routes = [steps_of(translation, route) for route in plan.routes]
    return msgspec.json.encode(document(translation, routes, reasons, round(plan.seconds * 1000)))


def failed(message: str) -> bytes:
    """The answer to a document that is not valid."""
    return msgspec.json.encode({"code": INPUT_ERROR, "error": message})


def initial_plan(translation: Translation) -> Plan | None:
    """The rounds which the vehicles' `steps` give; None if there are none.

    Raises:
        ProblemError: a step names no task of the document.
    """
    routes = []
    for vehicle in translation.document.vehicles:
        tasks = [step for step in vehicle.steps if step.type in TASKS]
        stop_ids = [stop_of(translation, vehicle.id, step).stop_id for step in tasks]
        if stop_ids:
            routes.append(_bare_route(str(vehicle.id), stop_ids))
    return Plan(tuple(routes), (), 0, 0, "steps") if routes else None


def stop_of(translation: Translation, vehicle_id: int, step: FormStep) -> Stop:
    """The stop a step names.

    Raises:
        ProblemError: there is none.
    """
    stop = translation.problem.stop_by_id.get(f"{step.type} {step.id}")
    if stop is None:
        raise ProblemError(f"vehicle {vehicle_id}: step {step.type} {step.id} is no task of the document")
    return stop


def document(
    translation: Translation, routes: Sequence[Steps], reasons: Mapping[str, str], solving_ms: int
) -> dict[str, Any]:
    """The whole answer.

    Args:
        translation: of the problem.
        routes: of the vehicles in use.
        reasons: why tasks are in no route, by stop id.
        solving_ms: time spent.
    """
    written = [_route(translation, route) for route in routes]
    served = {
        f"{step.source.type} {step.source.id}" for route in routes for step in route.steps if step.source
    }
    unassigned = [
        {
            "id": source.id,
            "type": source.type,
            **source.place,
            **({"description": source.description} if source.description is not None else {}),
            **({"reason": reasons[stop_id]} if stop_id in reasons else {}),
        }
        for stop_id, source in translation.sources.items()
        if stop_id not in served
    ]
    summed = ("cost", "setup", "service", "duration", "waiting_time", "priority", "distance")
    summary: dict[str, Any] = {"routes": len(written), "unassigned": len(unassigned)}
    summary |= {
        name: sum(route[name] for route in written)
        for name in summed
        if name != "distance" or translation.has_distances
    }
    if translation.measures:
        for name in ("delivery", "pickup"):
            amounts = [route[name] for route in written] or [[0] * translation.measures]
            summary[name] = [sum(column) for column in zip(*amounts, strict=True)]
    summary["violations"] = merged(violation for route in written for violation in route["violations"])
    summary["computing_times"] = {"loading": 0, "solving": solving_ms, "routing": 0}
    return {"code": OK, "summary": summary, "unassigned": unassigned, "routes": written}


def merged(violations: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One entry a cause, lengths and distances added up."""
    by_cause: dict[str, dict[str, Any]] = {}
    for violation in violations:
        entry = by_cause.setdefault(violation["cause"], {"cause": violation["cause"]})
        for name in ("duration", "distance"):
            if name in violation:
                entry[name] = entry.get(name, 0) + violation[name]
    return list(by_cause.values())


def _route(translation: Translation, route: Steps) -> dict[str, Any]:
    steps = route.steps
    form = translation.vehicles[route.vehicle_id]
    tasks = [step for step in steps if step.source is not None]
    last = steps[-1] if steps else Step("end", 0)
    priorities = {
        f"{kind} {task.id}": shipment.priority
        for shipment in translation.document.shipments
        for kind, task in (("pickup", shipment.pickup), ("delivery", shipment.delivery))
    } | {f"job {job.id}": job.priority for job in translation.document.jobs}
    written: dict[str, Any] = {"vehicle": form.id, "cost": route.cost}
    if form.description is not None:
        written["description"] = form.description
    if translation.measures:
        for name, side in (("delivery", 0), ("pickup", 1)):
            amounts = [step.source.amounts[side] for step in tasks if step.source]
            written[name] = [sum(column) for column in zip(*amounts, strict=True)] or [
                0
            ] * translation.measures
    written |= {
        "setup": sum(step.setup_s for step in tasks),
        "service": sum(step.service_s for step in steps),
        "duration": last.driven_s,
        "waiting_time": sum(step.wait_s for step in steps),
        "priority": sum(priorities[f"{step.type} {step.source.id}"] for step in tasks if step.source),
        "steps": [_step(translation, step) for step in steps],
        "violations": merged(
            [*route.violations, *(violation for step in steps for violation in step.violations)]
        ),
    }
    if translation.has_distances:
        written["distance"] = last.driven_m
    return written


def _step(translation: Translation, step: Step) -> dict[str, Any]:
    written: dict[str, Any] = {"type": step.type, **step.place}
    if step.source is not None:
        written |= {**step.source.place, "id": step.source.id, "job": step.source.id}
        if step.source.description is not None:
            written["description"] = step.source.description
    if step.id is not None:
        written["id"] = step.id
    written |= {
        "setup": step.setup_s,
        "service": step.service_s,
        "waiting_time": step.wait_s,
        "arrival": step.arrival_s + translation.origin_s,
        "duration": step.driven_s,
        "violations": step.violations,
    }
    if translation.measures:
        written["load"] = list(step.load)
    if translation.has_distances:
        written["distance"] = step.driven_m
    return written


def _bare_route(vehicle_id: str, stop_ids: Sequence[str]) -> Route:
    """A round of which only the order of stops counts."""
    visits = tuple(Visit(stop_id, 0, 0, 0, 0, 0, 0, 0, 0) for stop_id in stop_ids)
    return Route(vehicle_id, visits, 0, 0, 0, 0, 0)
