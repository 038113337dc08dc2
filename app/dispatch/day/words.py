"""What the day's keys are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from app.dispatch.day.models import Act, Level, Measure
from app.dispatch.day.positions import CourierState
from app.dispatch.day.told import Why

STATES: Mapping[CourierState, tuple[Any, str]] = {
    CourierState.OFF: (_l("Off"), "neutral"),
    CourierState.ON_SHIFT: (_l("On shift"), "info"),
    CourierState.ON_THE_WAY: (_l("On the way"), "progress"),
    CourierState.AT_STOP: (_l("At a stop"), "ok"),
}
"""Each state's word and tone."""

ACTS: Mapping[Act, Any] = {
    Act.ARRIVED: _l("Arrived"),
    Act.DONE: _l("Done"),
    Act.FAILED: _l("Failed"),
}

MEASURES: Mapping[Measure, Any] = {
    Measure.SERVICE: _l("Time at the door"),
    Measure.TRAVEL: _l("Time on the way"),
}

LEVELS: Mapping[Level, Any] = {
    Level.ALL: _l("The whole company"),
    Level.AREA: _l("Area"),
    Level.BUILDING: _l("Building"),
    Level.HOUR: _l("Hour"),
    Level.COURIER: _l("Courier"),
}

CONFLICTS: Mapping[str, Any] = {
    Why.OTHER_COURIER: _l("another courier had the stop"),
    Why.NOT_IN_ROUND: _l("the stop was in no round"),
    Why.FINISHED: _l("the stop was finished before"),
    Why.NOT_RECORDED: _l("the scan was not accepted"),
    Why.STOPPED: _l("the sender had stopped the parcel"),
    Why.NO_CONSENT: _l("no consent that another takes it"),
    Why.WRONG_CODE: _l("wrong code"),
    Why.CODE_LOCKED: _l("too many wrong codes"),
    Why.NOT_PAID: _l("not paid in full"),
}
"""Why an act did not simply go through, for those who plan."""
