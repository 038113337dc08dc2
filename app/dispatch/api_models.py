"""What the machine's door to the dispatch room takes and gives."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from app.api_schema import ApiInput, ApiOutput, PageQuery
from app.dispatch.edit_models import EditState
from app.dispatch.models import PlanStatus, StopKind, StopStatus
from app.dispatch.service import SECONDS_MAX

ID_MAX = 2**63 - 1


class StopQuery(PageQuery):
    """Which stops."""

    facility_id: int | None = Field(default=None, ge=1, le=ID_MAX)
    day: date | None = Field(default=None, description="Local day of the outlet")
    status: StopStatus | None = None


class StopOut(ApiOutput):
    """A stop that a courier must make. Seconds count from local midnight of its day."""

    id: int
    number: str = Field(description="Waybill number of the parcel")
    facility_id: int
    kind: StopKind
    status: StopStatus
    day: date
    window_from_s: int
    window_to_s: int
    service_s: int
    latitude: float
    longitude: float
    contact_name: str
    contact_phone: str
    address: str
    weight_g: int
    volume_cm3: int
    pieces: int
    priority: int
    skills: list[str] = Field(description="What its courier must be able to do")
    place_corrected_at: str | None = Field(description="When somebody put the pin where the door is")


class StopPage(ApiOutput):
    """A page of stops."""

    items: list[StopOut]
    next_cursor: str | None


class PlanIn(ApiInput):
    """The rounds asked for."""

    facility_id: int = Field(ge=1, le=ID_MAX)
    day: date = Field(description="Local day of the outlet, today or later")
    seconds: int = Field(default=10, ge=1, le=SECONDS_MAX, description="How long the planner may search")
    even_rounds: bool = Field(
        default=False,
        description="No courier's day is to be much longer than the others': hours beyond a fair share "
        "of the day's work count for more while the plan is made, and not in its cost",
    )


class VisitOut(ApiOutput):
    """A stop in a round."""

    stop_id: int
    arrival_s: int
    start_s: int
    departure_s: int
    distance_m: int = Field(description="From the stop before, or from the outlet")
    locked: bool


class RestOut(ApiOutput):
    """A break on a round."""

    start_s: int
    end_s: int


class RoundOut(ApiOutput):
    """A courier's round."""

    courier_id: int
    start_s: int
    end_s: int
    distance_m: int
    cost_minor: int
    breaks: list[RestOut]
    visits: list[VisitOut]


class UnservedOut(ApiOutput):
    """A stop in no round, and why."""

    stop_id: int
    reason: str
    details: dict[str, Any]


class CurvePoint(ApiOutput):
    """A better plan as it was found."""

    seconds: float = Field(description="Since the search began")
    cost_minor: int
    unserved: int


class PlanOut(ApiOutput):
    """A plan; `status` goes requested, solving, draft, published (or failed, cancelled, superseded)."""

    id: int
    facility_id: int
    day: date
    status: PlanStatus
    version: int
    seconds: int
    even_rounds: bool
    requested_at: str
    solved_at: str | None
    published_at: str | None
    best_cost_minor: int | None
    best_unserved: int | None
    curve: list[CurvePoint]
    cost_minor: int | None
    distance_m: int | None
    error: str | None
    rounds: list[RoundOut]
    unserved: list[UnservedOut]


class VersionIn(ApiInput):
    """Which version of the plan the sender looked at."""

    version: int = Field(ge=1, le=ID_MAX)


class MoveIn(VersionIn):
    """A stop's new place."""

    stop_id: int = Field(ge=1, le=ID_MAX)
    courier_id: int | None = Field(ge=1, le=ID_MAX, description="null takes it out of all rounds")
    sequence: int | None = Field(
        default=None, ge=0, le=100_000, description="Which visit it becomes, from 0; null: the cheapest place"
    )


class LockIn(VersionIn):
    """Whether a stop, or a whole round, stays with its courier."""

    locked: bool


class DelayOut(ApiOutput):
    """A visit that starts later than before, or earlier where the seconds are negative."""

    stop_id: int
    seconds: int


class MovedOut(ApiOutput):
    """What a move cost, and the version it made."""

    plan_id: int
    version: int
    extra_cost_minor: int
    extra_distance_m: int
    delays: list[DelayOut]


class LockedOut(ApiOutput):
    """What was locked or unlocked, and the version it made."""

    plan_id: int
    version: int
    stops: int = Field(description="How many stops it changed")


class EditOut(ApiOutput):
    """A change of a plan by hand. A `closed` one is history; the others can be taken back or made again."""

    id: int
    state: EditState
    action: str
    made_at: str
    by: str
    version: int
    stop_id: int | None
    stop: str | None = Field(description="Name and address")
    from_courier_id: int | None
    from_courier: str | None
    to_courier_id: int | None
    to_courier: str | None


class EditsOut(ApiOutput):
    """The newest changes of a plan, latest first."""

    plan_id: int
    version: int
    items: list[EditOut]


class OfferOut(ApiOutput):
    """A courier's cheapest place for a stop."""

    courier_id: int
    sequence: int
    start_s: int
    extra_cost_minor: int
    extra_distance_m: int
    delays: list[DelayOut]


class OffersOut(ApiOutput):
    """Where a stop could go, cheapest first."""

    stop_id: int
    courier_id: int | None
    taking_out_minor: int | None
    offers: list[OfferOut]


class GapQuery(ApiInput):
    """Whose round."""

    courier_id: int | None = Field(
        default=None, ge=1, le=ID_MAX, description="The one who has the stop when left out"
    )


class GapOut(ApiOutput):
    """A place in a courier's round; costs are null where the stop cannot go there, with the reason."""

    sequence: int = Field(description="Which visit it becomes, from 0, the stop itself taken out before")
    start_s: int | None
    extra_cost_minor: int | None
    extra_distance_m: int | None
    reason: str | None
    details: dict[str, Any]
    delays: list[DelayOut]


class GapsOut(ApiOutput):
    """Every place of a courier's round for a stop, from the first to the last."""

    stop_id: int
    courier_id: int
    gaps: list[GapOut]


class RunQuery(ApiInput):
    """Which day."""

    day: date | None = Field(default=None, description="Local day of the outlet; today when left out")


class RunVisitOut(StopOut, VisitOut):
    """A visit of the courier's round."""

    due_minor: int = Field(description="To be collected at the door")
    currency: str


class RunOut(ApiOutput):
    """The asker's round."""

    courier_id: int
    facility_id: int
    day: date
    utc_offset_minutes: int
    left: int
    breaks: list[RestOut]
    visits: list[RunVisitOut]
    cancelled: list[StopOut] = Field(
        description="Taken out of the round since it was published, because nobody has to go there any more"
    )
    version: str = Field(description="Changes with every change of the plan; empty where there is no round")
