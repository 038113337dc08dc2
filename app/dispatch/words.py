"""What the dispatch room's keys are called on pages, and its moments and reasons as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.dispatch.models import PlanStatus, StopKind, StopStatus, VehicleClass
from app.dispatch.problem import COST_CURRENCY
from app.formatting import distance, duration, money, number, weight
from routing.pickup import ReasonCode

KINDS: Mapping[StopKind, Any] = {
    StopKind.PICKUP: _l("Pickup"),
    StopKind.DELIVERY: _l("Delivery"),
    StopKind.RETURN: _l("Return to sender"),
}

STOP_STATUSES: Mapping[StopStatus, tuple[Any, str]] = {
    StopStatus.OPEN: (_l("No round yet"), "warn"),
    StopStatus.PLANNED: (_l("In a round"), "progress"),
    StopStatus.DONE: (_l("Done"), "ok"),
    StopStatus.FAILED: (_l("Failed"), "bad"),
    StopStatus.CANCELLED: (_l("Cancelled"), "neutral"),
}
"""Each status' word and tone."""

VEHICLE_CLASSES: Mapping[VehicleClass, Any] = {
    VehicleClass.BICYCLE: _l("Bicycle"),
    VehicleClass.CARGO_BIKE: _l("Cargo bike"),
    VehicleClass.MOTORCYCLE: _l("Motorcycle"),
    VehicleClass.VAN: _l("Van"),
    VehicleClass.TRUCK: _l("Truck"),
}

PLAN_STATUSES: Mapping[PlanStatus, tuple[Any, str]] = {
    PlanStatus.REQUESTED: (_l("Waiting for the planner"), "info"),
    PlanStatus.SOLVING: (_l("Being planned"), "progress"),
    PlanStatus.DRAFT: (_l("Draft"), "warn"),
    PlanStatus.PUBLISHED: (_l("Published"), "ok"),
    PlanStatus.FAILED: (_l("Planning failed"), "bad"),
    PlanStatus.CANCELLED: (_l("Given up"), "neutral"),
    PlanStatus.SUPERSEDED: (_l("Replaced by a newer plan"), "neutral"),
}
"""Each status' word and tone."""

_R = ReasonCode
_REASONS: Mapping[str, Any] = {
    _R.NO_VEHICLE: _l("No courier is at work"),
    _R.NO_VEHICLE_WITH_SKILLS: _l("No courier can do this: %(skills)s"),
    _R.NO_ALLOWED_VEHICLE: _l("The courier it is bound to is not at work"),
    _R.OVER_CAPACITY: _l("Too much for any vehicle: %(excess)s over"),
    _R.UNREACHABLE: _l("No way leads there"),
    _R.WINDOW_CLOSES_BEFORE_ARRIVAL: _l("Asked for until %(closes)s; nobody can be there before %(arrival)s"),
    _R.SHIFT_TOO_SHORT: _l("Too far for a shift: back %(missing)s late"),
    _R.TOO_FAR: _l("Too far for any vehicle: %(excess)s over"),
    _R.ROUNDS_FULL: _l("The rounds are full: %(excess)s over"),
    _R.NO_TIME_LEFT: _l("No round has time for it: %(missing)s short"),
    _R.GOODS_READY_TOO_LATE: _l("Its goods are ready only at %(release)s; asked for until %(closes)s"),
    _R.AREA_CLOSED: _l("Its area is closed to the vehicles that could go there"),
    _R.TOO_MUCH_DRIVING: _l("Too long on the road for any vehicle: %(missing)s over"),
    _R.NO_TIME_WITH_BREAKS: _l("No shift has time for it beside the breaks"),
    _R.RIDE_TOO_LONG: _l("It would be aboard too long"),
    _R.PARTNER_UNSERVED: _l("The other stop of its pair cannot be served with it"),
    _R.ROUND_TOO_LONG: _l("A round with it alone would take too long"),
    _R.NO_PLACE_BESIDE_OTHERS: _l("No round has a place for it beside its other stops and breaks"),
    _R.COST_ABOVE_PRIZE: _l("It costs more than it is worth"),
    _R.TIME_LIMIT: _l("The planner ran out of time"),
    _R.REMOVED: _l("Taken out by hand"),
    "reloads": _l("His round returns to the outlet on its way: plan it anew"),
    "frozen": _l("The courier has done it or is on his way"),
    "already_loaded": _l("The courier has left; a delivery has to be loaded at the outlet"),
    "pair_broken": _l("What is collected must be handed over later on the same round"),
    "already_planned": _l("It is in a round already"),
    "no_such_position": _l("His round is shorter by now"),
}


def reason_text(reason: str | None, details: Mapping[str, Any]) -> str:
    """Why a stop is in no round, or why a change was refused; None: it came after the plan."""
    if reason is None:
        return str(_("Asked for after the plan was made"))
    if reason == _R.AREA_CLOSED and "area" in details:
        closed = _("%(area)s is closed to the vehicles that could go there at that time", **details)
        return str(closed)
    return str(_REASONS[reason]) % reason_values(details)


def reason_values(details: Mapping[str, Any]) -> dict[str, str]:
    """A reason's parameters as its sentences say them."""
    return {
        "skills": ", ".join(details.get("skills", ())),
        "excess": _amount(details),
        "missing": duration(_whole_minutes(details.get("missing_s", details.get("excess_s", 0)))),
        "release": clock(details.get("release_s", 0)),
        "closes": clock(details.get("closes_s", 0)),
        "arrival": clock(details.get("arrival_s", 0)),
    }


def clock(moment_s: int) -> str:
    """A moment of the day as the outlet's clock shows it: `09:05`; past midnight it counts on."""
    hours, minutes = divmod(moment_s // 60, 60)
    return f"{hours:02d}:{minutes:02d}"


def money_change(amount_minor: int) -> str:
    """More or less, with its sign, in the plan's costs: `+¥3.20`."""
    return f"{'−' if amount_minor < 0 else '+'}{money(abs(amount_minor), COST_CURRENCY)}"


def next_day(day: date, days: int) -> str:
    """A day's neighbour as the address holds it."""
    return (day + timedelta(days=days)).isoformat()


def _amount(details: Mapping[str, Any]) -> str:
    measure = details.get("measure", "metres")
    amount = details.get("excess", details.get("excess_m", 0))
    if measure == "weight_g":
        return weight(amount)
    if measure == "volume_cm3":
        return f"{number(amount)} cm³"
    if measure == "driving_s":
        return duration(_whole_minutes(amount))
    if measure == "metres":
        return distance(amount)
    if measure == "pieces":
        return str(ngettext("%(num)s piece", "%(num)s pieces", amount))
    return str(ngettext("%(num)s stop", "%(num)s stops", amount))


def _whole_minutes(seconds: int) -> int:
    return -(-seconds // 60) * 60
