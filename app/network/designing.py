"""Hub studies: which outlets would best be hubs, asked for by a planner and answered by a worker."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.actor import Actor
from app.db.session import tenant_of
from app.errors import ConflictError, InvalidInputError, NotFoundError
from app.network.comparing import sent
from app.network.models import Facility, HubStudy, StudyStatus
from routing.network import FacilityKind

HUBS_MAX, SECONDS_MAX, DAYS_MAX = 30, 600, 90
WAITING_MAX = 3
UNFINISHED = (StudyStatus.REQUESTED, StudyStatus.SOLVING)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a study is to find out.

    Attributes:
        gravity: demand by the gravity model on what outlets sent and received, instead of what was sent.
        days: so many are looked back on.
        hubs: how many are to be chosen.
        discount_percent: what a parcel's kilometre costs between hubs beside elsewhere.
        multiple: an outlet may use several hubs.
        seconds: how long it may take.

    Raises:
        InvalidInputError: a number is out of its bounds.
    """

    gravity: bool
    days: int
    hubs: int
    discount_percent: int
    multiple: bool
    seconds: int

    def __post_init__(self) -> None:
        bounds = (
            ("days", self.days, 1, DAYS_MAX),
            ("hubs", self.hubs, 1, HUBS_MAX),
            ("discount_percent", self.discount_percent, 0, 100),
            ("seconds", self.seconds, 1, SECONDS_MAX),
        )
        wrong = [
            {"detail": f"must lie between {least} and {most}", "pointer": f"/{name}"}
            for name, value, least, most in bounds
            if not least <= value <= most
        ]
        if wrong:
            raise InvalidInputError("a number is out of its bounds", wrong)


@dataclass(frozen=True, slots=True)
class Files:
    """A study's places and demand as `python -m routing.network design` reads them, as CSV."""

    facilities: str
    demand: str | None


def request_study(session: Session, actor: Actor, wanted: Wanted, *, now: datetime) -> HubStudy:
    """Ask for a study; a worker of the scheduler process takes it up within seconds.

    Raises:
        ConflictError: `WAITING_MAX` of the tenant's studies are not ended yet.
    """
    waiting = session.scalar(
        sa.select(sa.func.count()).select_from(HubStudy).where(HubStudy.status.in_(UNFINISHED))
    )
    if (waiting or 0) >= WAITING_MAX:
        raise ConflictError(f"{WAITING_MAX} studies are waiting or under way already")
    study = HubStudy(
        tenant_id=tenant_of(session),
        asked_by_id=actor.user_id,
        asked_at=now,
        gravity=wanted.gravity,
        days=wanted.days,
        hubs=wanted.hubs,
        discount_percent=wanted.discount_percent,
        multiple=wanted.multiple,
        seconds=wanted.seconds,
        status=StudyStatus.REQUESTED,
    )
    session.add(study)
    session.flush()  # its id is answered
    return study


def cancel_study(session: Session, study: HubStudy, *, now: datetime) -> None:
    """Give a study up; the worker notices within a second or two.

    Raises:
        ConflictError: it has ended.
    """
    session.refresh(study, with_for_update=True)
    if study.status not in UNFINISHED:
        raise ConflictError("the study has ended")
    study.status, study.ended_at = StudyStatus.CANCELLED, now


def load_study(session: Session, study_id: int) -> HubStudy:
    """A study of the tenant's.

    Raises:
        NotFoundError: there is none.
    """
    study = session.scalar(sa.select(HubStudy).where(HubStudy.id == study_id))
    if study is None:
        raise NotFoundError("no such study")
    return study


def latest_studies(session: Session, limit: int) -> Sequence[HubStudy]:
    """The studies asked for last, latest first."""
    return session.scalars(sa.select(HubStudy).order_by(HubStudy.id.desc()).limit(limit)).all()


def outlets(session: Session) -> Sequence[Facility]:
    """The open outlets, which all may become hubs."""
    return session.scalars(
        sa.select(Facility)
        .where(Facility.kind == FacilityKind.OUTLET, Facility.closed_at.is_(None))
        .order_by(Facility.id)
    ).all()


def files_of(session: Session, study: HubStudy) -> Files:
    """What a study is about, as files.

    Raises:
        InvalidInputError: there are fewer outlets than hubs, or nothing went between two of them.
    """
    places = outlets(session)
    known = {place.id for place in places}
    if len(places) < max(2, study.hubs):
        raise InvalidInputError(f"{study.hubs} hubs cannot be chosen among {len(places)} outlets")
    pairs = [
        (start, end, parcels)
        for start, end, parcels, _grams in sent(session, study.asked_at - timedelta(days=study.days))
        if start in known and end in known
    ]
    if not study.gravity and not any(start != end for start, end, _ in pairs):
        raise InvalidInputError("nothing was sent between two outlets in these days")
    weight: Counter[int] = Counter()
    for start, end, parcels in pairs:
        weight[start] += parcels
        weight[end] += parcels
    rows = [
        # Where nothing was sent yet, one outlet is as good as another.
        (place.id, place.code, place.latitude, place.longitude, weight[place.id] + 1)
        for place in places
    ]
    demand = None if study.gravity else _csv(("origin", "destination", "parcels"), pairs)
    return Files(_csv(("id", "name", "lat", "lon", "weight"), rows), demand)


def _csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
