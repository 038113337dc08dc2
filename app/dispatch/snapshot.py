"""How a plan's rows stand, as plain values: what of them a change touched, and putting that back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from app.dispatch.models import Plan, PlanRound, PlanUnserved, PlanVisit

Part: TypeAlias = Mapping[str, Mapping[str, Any]]
"""`{"rounds": {courier id: round or None}, "unserved": {stop id: entry or None}}`, ready for JSON."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All rounds by courier and all unserved stops, as JSON holds them."""

    rounds: Mapping[str, Any]
    unserved: Mapping[str, Any]


def snapshot(plan: Plan) -> Snapshot:
    """A plan as its rows stand now."""
    visits: dict[int, list[PlanVisit]] = {}
    for visit in plan.visits:
        visits.setdefault(visit.courier_id, []).append(visit)
    rounds = {
        str(round_.courier_id): {
            "start_s": round_.start_s,
            "end_s": round_.end_s,
            "distance_m": round_.distance_m,
            "cost_minor": round_.cost_minor,
            "rests": round_.rests,
            "visits": [
                [
                    visit.stop_request_id,
                    visit.arrival_s,
                    visit.start_s,
                    visit.departure_s,
                    visit.distance_m,
                    visit.locked,
                ]
                for visit in sorted(visits[round_.courier_id], key=lambda visit: visit.sequence)
            ],
        }
        for round_ in plan.rounds
    }
    unserved = {
        str(row.stop_request_id): {"reason": row.reason, "details": row.details} for row in plan.unserved
    }
    return Snapshot(rounds, unserved)


def changed_parts(before: Snapshot, after: Snapshot) -> tuple[Part, Part]:
    """What differs between two moments of one plan: how it stood, and how it stands."""
    rounds = _differing(before.rounds, after.rounds)
    unserved = _differing(before.unserved, after.unserved)
    return (
        {
            "rounds": {key: before.rounds.get(key) for key in rounds},
            "unserved": {key: before.unserved.get(key) for key in unserved},
        },
        {
            "rounds": {key: after.rounds.get(key) for key in rounds},
            "unserved": {key: after.unserved.get(key) for key in unserved},
        },
    )


def stops_in(part: Part) -> frozenset[int]:
    """The stops that are in a round of a part."""
    return frozenset(
        visit[0] for round_ in part["rounds"].values() if round_ is not None for visit in round_["visits"]
    )


def put_back(plan: Plan, part: Part) -> None:
    """Write a part over a plan's rows; rounds and stops it does not name stay as they are.

    The caller sees to it that each stop is then in one round, or in none.
    """
    touched = {int(key) for key in part["rounds"]}
    rows = {visit.stop_request_id: visit for visit in plan.visits}
    rounds = {round_.courier_id: round_ for round_ in plan.rounds}
    kept_rounds = [round_ for round_ in plan.rounds if round_.courier_id not in touched]
    kept_visits = [visit for visit in plan.visits if visit.courier_id not in touched]
    for key, values in part["rounds"].items():
        if values is None:
            continue
        round_ = rounds.get(int(key)) or PlanRound(tenant_id=plan.tenant_id, courier_id=int(key))
        for name in ("start_s", "end_s", "distance_m", "cost_minor", "rests"):
            setattr(round_, name, values[name])
        kept_rounds.append(round_)
        for sequence, (stop_id, arrival_s, start_s, departure_s, distance_m, locked) in enumerate(
            values["visits"]
        ):
            visit = rows.get(stop_id) or PlanVisit(tenant_id=plan.tenant_id, stop_request_id=stop_id)
            visit.courier_id, visit.sequence = int(key), sequence
            visit.arrival_s, visit.start_s, visit.departure_s = arrival_s, start_s, departure_s
            visit.distance_m, visit.locked = distance_m, locked
            kept_visits.append(visit)
    plan.rounds, plan.visits = kept_rounds, kept_visits
    entries = {row.stop_request_id: row for row in plan.unserved}
    for key, entry in part["unserved"].items():
        row = entries.pop(int(key), None)
        if entry is not None:
            row = row or PlanUnserved(tenant_id=plan.tenant_id, stop_request_id=int(key))
            row.reason, row.details = entry["reason"], entry["details"]
            entries[int(key)] = row
    plan.unserved = list(entries.values())
    plan.cost_minor = sum(round_.cost_minor for round_ in plan.rounds)
    plan.distance_m = sum(round_.distance_m for round_ in plan.rounds)


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    keys = sorted(before.keys() | after.keys(), key=int)
    return [key for key in keys if before.get(key) != after.get(key)]
