"""What would help a stop that is in no round, by the reason that the planner gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from app.dispatch.words import clock, reason_values
from routing.pickup import ReasonCode

_R = ReasonCode
_HELP: Mapping[str, Any] = {
    _R.NO_VEHICLE: _l("Put a courier on the day's roster."),
    _R.NO_VEHICLE_WITH_SKILLS: _l("Put somebody on the roster who can do it, or give a courier the skill."),
    _R.NO_ALLOWED_VEHICLE: _l("Unlock it, or put its courier on the roster."),
    _R.OVER_CAPACITY: _l("A larger vehicle, or two visits."),
    _R.UNREACHABLE: _l("Look at its place on the map."),
    _R.WINDOW_CLOSES_BEFORE_ARRIVAL: _l("Ask the customer for a window until %(arrival)s or later."),
    _R.SHIFT_TOO_SHORT: _l("A shift that is %(missing)s longer."),
    _R.ROUND_TOO_LONG: _l("Allow its courier a longer round, or give it to a nearer outlet."),
    _R.TOO_FAR: _l("Give it to a nearer outlet."),
    _R.ROUNDS_FULL: _l("One more courier, or take something lighter out of a round."),
    _R.NO_TIME_LEFT: _l("One more courier, a shift that is %(missing)s longer, or another day."),
    _R.GOODS_READY_TOO_LATE: _l("Ask the customer for a window that begins at %(release)s or later."),
    _R.AREA_CLOSED: _l("A vehicle that may go there, or a window in which the area is open."),
    _R.TOO_MUCH_DRIVING: _l("Give it to a nearer outlet."),
    _R.NO_TIME_WITH_BREAKS: _l("A courier whose break lies at another time, or a wider window."),
    _R.RIDE_TOO_LONG: _l("Allow its goods to be aboard for longer, or bring its two stops nearer together."),
    _R.PARTNER_UNSERVED: _l("Look at the other stop of its pair."),
    _R.NO_PLACE_BESIDE_OTHERS: _l("One more courier, or another day."),
    _R.COST_ABOVE_PRIZE: _l("Give it to a courier by hand if it has to be made."),
    _R.TIME_LIMIT: _l("Plan again and search for longer."),
    _R.REMOVED: _l("Give it to a courier, or put it off."),
}
_WIDER = _l("Ask the customer for a wider window than %(from)s – %(to)s, or plan one more courier.")
_NEW = _l("Give it to a courier, or plan again.")
_NARROW_S = 2 * 3600


def help_text(
    reason: str | None, details: Mapping[str, Any], window_from_s: int = 0, window_to_s: int = 24 * 3600
) -> str:
    """What a dispatcher can do about a stop in no round.

    Args:
        reason: the planner's; None where it came after the plan.
        details: of the reason.
        window_from_s, window_to_s: when somebody is there.
    """
    if reason is None:
        return str(_NEW)
    if reason == _R.NO_TIME_LEFT and window_to_s - window_from_s <= _NARROW_S:
        return str(_WIDER) % {"from": clock(window_from_s), "to": clock(window_to_s)}
    return str(_HELP[reason]) % reason_values(details)
