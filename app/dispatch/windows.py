"""Which windows of a day still fit a pickup, and what each would cost, while the customer asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.dispatch.models import Plan, PlanStatus, StopKind
from app.dispatch.problem import Draft, draft_of
from app.dispatch.skills import clean_skills
from app.dispatch.stop_rows import service_s
from app.dispatch.wanted import Placed, Wanted, first_day, placed
from routing import pickup
from routing.pickup import insertion

WINDOWS_S = tuple((hour * 3600, (hour + 2) * 3600) for hour in range(8, 20, 2))
"""The windows that customers choose from: two hours each, from eight to twenty o'clock."""
_NEW = "asked"


@dataclass(frozen=True, slots=True)
class Window:
    """A window and how it fits.

    Attributes:
        from_s, to_s: seconds since local midnight.
        fits: whether a courier can come in it.
        extra_cost_minor: what the day's plan would cost more; None where it has no plan yet or does not fit.
        start_s: when the courier would be there by the plan; None as above.
    """

    from_s: int
    to_s: int
    fits: bool
    extra_cost_minor: int | None
    start_s: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """The windows of a day at the outlet that serves a place, and the first day it takes pickups for."""

    facility_id: int
    day: date
    first_day: date
    windows: tuple[Window, ...]


def windows(session: Session, wanted: Wanted, *, now: datetime) -> Choice:
    """Which windows of the wanted day fit; the wanted window itself does not count.

    Where the day has a plan each window is tried in it; before it has one, whatever is not over fits.

    Raises:
        NotFoundError: there is no such district.
        InvalidInputError: no outlet serves it.
    """
    place = placed(session, wanted)
    first = first_day(place.hours, now)
    if wanted.day < first or place.hours.works_from(wanted.day) != wanted.day:
        found = tuple(Window(from_s, to_s, False, None, None) for from_s, to_s in WINDOWS_S)
        return Choice(place.facility.id, wanted.day, first, found)
    local = now.astimezone(place.hours.zone)
    now_s = local.hour * 3600 + local.minute * 60 if wanted.day == local.date() else 0
    plan = _plan(session, place, wanted.day)
    draft = None if plan is None else draft_of(session, plan, now=now)
    found = tuple(_window(wanted, place, draft, from_s, to_s, now_s) for from_s, to_s in WINDOWS_S)
    return Choice(place.facility.id, wanted.day, first, found)


def _plan(session: Session, place: Placed, day: date) -> Plan | None:
    """The plan in force, else the newest draft."""
    return session.scalar(
        sa.select(Plan)
        .where(
            Plan.facility_id == place.facility.id,
            Plan.day == day,
            Plan.status.in_((PlanStatus.PUBLISHED, PlanStatus.DRAFT)),
        )
        .order_by((Plan.status == PlanStatus.PUBLISHED).desc(), Plan.id.desc())
        .limit(1)
    )


def _window(wanted: Wanted, place: Placed, draft: Draft | None, from_s: int, to_s: int, now_s: int) -> Window:
    if to_s <= now_s:
        return Window(from_s, to_s, False, None, None)
    if draft is None:
        return Window(from_s, to_s, True, None, None)
    stop = pickup.Stop(
        stop_id=_NEW,
        latitude=place.latitude,
        longitude=place.longitude,
        service_s=service_s(StopKind.PICKUP, wanted.pieces),
        windows=((from_s, to_s),),
        weight_g=wanted.weight_g,
        volume_cm3=wanted.volume_cm3,
        pieces=wanted.pieces,
        skills=frozenset(clean_skills(wanted.skills)),
    )
    offers = insertion.offers(
        draft.problem,
        draft.plan,
        draft.ground.placed(stop),
        frozen=draft.frozen,
        now_s=draft.now_s,
        limit=len(draft.out) + 1,
    )
    best = [offer for offer in offers if int(offer.vehicle_id) not in draft.out]
    if not best:
        return Window(from_s, to_s, False, None, None)
    return Window(from_s, to_s, True, best[0].extra_cost_minor, best[0].start_s)
