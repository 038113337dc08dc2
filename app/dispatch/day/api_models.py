"""What the machine's door to the running day takes and gives."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, Field

from app.api_schema import ApiInput, ApiOutput
from app.dispatch.day.models import Act, Level, Measure, Outcome
from app.dispatch.day.positions import ACCURACY_MAX_M, BATCH_MAX, CourierState
from app.dispatch.day.takeover import REASON_LENGTH_MAX
from app.dispatch.models import StopStatus

ID_MAX = 2**63 - 1


class FixIn(ApiInput):
    """Where the phone was, by its own clock."""

    at: AwareDatetime
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    accuracy_m: int | None = Field(default=None, ge=0, le=ACCURACY_MAX_M)


class PositionsIn(ApiInput):
    """What a phone has gathered since it told last; told again it is no harm."""

    positions: list[FixIn] = Field(min_length=1, max_length=BATCH_MAX)


class TakenOut(ApiOutput):
    """How many positions were new, were known, or lie a day back or ahead of now: the clock is wrong."""

    kept: int
    known: int
    refused: int


class OutletQuery(ApiInput):
    """Which outlet."""

    facility_id: int = Field(ge=1, le=ID_MAX)


class PositionOut(ApiOutput):
    """Where a courier's phone was last."""

    at: AwareDatetime
    latitude: float
    longitude: float
    accuracy_m: int | None


class CourierOut(ApiOutput):
    """A courier of the outlet and what he is doing."""

    id: int
    code: str
    name: str
    state: CourierState
    stops: int = Field(description="Of his round in force today")
    left: int
    next_stop_id: int | None
    position: PositionOut | None


class CouriersOut(ApiOutput):
    """Every courier who works at an outlet, by code."""

    items: list[CourierOut]


class ComingOut(ApiOutput):
    """When a stop of a running round is reached; four of five such arrivals lie between the bounds."""

    stop_id: int
    courier_id: int
    stops_away: int
    from_: AwareDatetime = Field(alias="from")
    expected: AwareDatetime
    to: AwareDatetime


class ComingsOut(ApiOutput):
    """What lies ahead of an outlet's couriers."""

    day: date
    items: list[ComingOut]


class DayQuery(OutletQuery):
    """Which outlet and day."""

    day: date | None = Field(default=None, description="Local day of the outlet; today when left out")


class ReplayedStopOut(ApiOutput):
    """A stop as planned and as driven; seconds of the local day, null where nothing was told."""

    stop_id: int
    status: StopStatus
    window_from_s: int
    window_to_s: int
    planned_arrival_s: int | None
    planned_start_s: int | None
    planned_departure_s: int | None
    arrived_s: int | None
    ended_s: int | None
    by_position: bool = Field(description="A position told when he came")
    late_s: int
    behind_s: int | None


class ReplayedRoundOut(ApiOutput):
    """A courier's day."""

    courier_id: int
    courier_code: str
    stops_made: int
    stops_failed: int
    stops_late: int
    planned_m: int
    driven_m: int | None
    planned_service_s: int | None
    service_s: int | None
    stops: list[ReplayedStopOut]


class ConflictOut(ApiOutput):
    """An act that a phone told and that did not simply go through."""

    stop_id: int
    courier_id: int
    act: Act
    outcome: Outcome
    why: str | None
    occurred_at: AwareDatetime
    received_at: AwareDatetime


class ReplayOut(ApiOutput):
    """An outlet's day."""

    facility_id: int
    day: date
    rounds: list[ReplayedRoundOut]
    conflicts: list[ConflictOut]


class LearnedFactorOut(ApiOutput):
    """A factor against the plan, and how much data stands behind it."""

    level: Level
    name: str
    factor: float
    samples: int


class LearnedMeasureOut(ApiOutput):
    """What was learned of one measure; errors are mean relative errors on the last week, held back."""

    measure: Measure
    learned_at: AwareDatetime
    factor: float
    samples: int
    error_before: float | None
    error_after: float | None
    rows: list[LearnedFactorOut]


class LearnedOut(ApiOutput):
    """The latest set."""

    items: list[LearnedMeasureOut]


class OffIn(ApiInput):
    """Why a courier falls out, and until when."""

    reason: str = Field(min_length=1, max_length=REASON_LENGTH_MAX, pattern=r"^[^\x00]*$")
    until: AwareDatetime
    version: int | None = Field(
        default=None, ge=1, le=ID_MAX, description="Of the plan that the sender looked at"
    )


class PassedOut(ApiOutput):
    """A stop of the round that is given up; `courier_id` is null where it stays aboard or is open again."""

    stop_id: int
    courier_id: int | None
    start_s: int | None
    extra_cost_minor: int
    aboard: bool


class TakeoverOut(ApiOutput):
    """What becomes of a round."""

    courier_id: int
    plan_id: int | None
    version: int | None
    stops: list[PassedOut]
