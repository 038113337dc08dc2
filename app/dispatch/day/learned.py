"""What was learned, as rows: the daily job that learns it, and the set that a plan is made with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import exp
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.config import Settings
from app.db.jobs import Step
from app.db.session import tenant_of
from app.dispatch.day.driven import Made, made
from app.dispatch.day.learning import Factor, Fit, Sample, error, fit
from app.dispatch.day.models import LearnedFactor, Level, Measure, StopEvent
from app.dispatch.models import Courier, Plan, StopRequest
from routing.pickup import StraightLine

LEARNED_FROM = timedelta(days=60)
"""What is older says little of how couriers work today."""
TESTED_ON = timedelta(days=7)
"""The last week is held back to measure the error; then all of it is learned from."""
SAMPLES_MIN = 20
"""With fewer nothing is told of a company at all."""
_KEPT = timedelta(days=14)
_SERVICE_MIN, _SERVICE_MAX = 0.3, 4.0
_SPEED_MIN, _SPEED_MAX = 0.4, 2.5
_TIMES_S = (5, 2 * 3600)  # a tap by mistake, a lunch: neither tells of a stop or a way
_DISTANCE_MIN_M = 100  # walking next door tells nothing of speeds
_HOUR_KEYS = 24
REFERENCE = StraightLine()
"""Speeds are learned as a factor of this one's."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A set of factors; empty where nothing has been learned, and then all is as planned."""

    factors: Mapping[tuple[Measure, Level, str], Factor] = field(default_factory=dict)
    spreads: Mapping[Measure, float] = field(default_factory=dict)

    def service_s(self, stop: StopRequest | Row[Any]) -> int:
        """How long a stop takes, whoever makes it: by its building, and its hour where that is agreed."""
        keys = place_keys(stop.latitude, stop.longitude)
        if stop.window_to_s - stop.window_from_s <= 2 * 3600:
            keys[Level.HOUR] = hour_key((stop.window_from_s + stop.window_to_s) // 2)
        factor = min(max(self._factor(Measure.SERVICE, keys), _SERVICE_MIN), _SERVICE_MAX)
        return round(stop.service_s * factor)

    def speed_factor(self, courier: Courier) -> float:
        """How much faster than the travel model a courier drives, over the hours in which people drive."""
        hours = [
            (key, one.samples)
            for (measure, level, key), one in self.factors.items()
            if measure is Measure.TRAVEL and level is Level.HOUR
        ] or [("", 1)]
        slower = sum(
            samples * self._factor(Measure.TRAVEL, {Level.COURIER: str(courier.id), Level.HOUR: hour})
            for hour, samples in hours
        )
        faster = sum(samples for _hour, samples in hours) / slower
        return round(min(max(faster, _SPEED_MIN), _SPEED_MAX), 3)

    def spread(self, measure: Measure) -> float | None:
        """What stays unexplained of a time, as part of it; None where nothing has been learned."""
        return self.spreads.get(measure)

    def _factor(self, measure: Measure, keys: Mapping[Level, str]) -> float:
        known = (self.factors.get((measure, level, key)) for level, key in (*keys.items(), (Level.ALL, "")))
        return exp(sum(one.log_factor for one in known if one is not None))


def load_learned(
    session: Session,
    *,
    at: datetime | None = None,
    stops: Collection[StopRequest | Row[Any]] = (),
) -> Learned:
    """The set that was the latest at a moment.

    Args:
        session: of one tenant.
        at: the moment; None: now.
        stops: whose buildings and areas are asked for; those of others are not read.
    """
    statement = sa.select(sa.func.max(LearnedFactor.learned_at))
    if at is not None:
        statement = statement.where(LearnedFactor.learned_at <= at)
    learned_at = session.scalar(statement)
    if learned_at is None:
        return Learned()
    places = {key for stop in stops for key in place_keys(stop.latitude, stop.longitude).values()}
    rows = session.scalars(
        sa.select(LearnedFactor).where(
            LearnedFactor.learned_at == learned_at,
            sa.or_(
                LearnedFactor.level.in_((Level.ALL, Level.HOUR, Level.COURIER)),
                LearnedFactor.key == sa.any_(sa.literal(sorted(places), sa.ARRAY(sa.Text))),
            ),
        )
    ).all()
    return Learned(
        {(row.measure, row.level, row.key): Factor(row.log_factor, row.samples) for row in rows},
        {row.measure: row.spread for row in rows if row.spread is not None},
    )


def learn_step(session: Session, _settings: Settings, now: datetime, progress: Mapping[str, Any]) -> Step:
    """Learn what the next company's couriers drove in the last weeks.

    Args:
        session: sees every tenant.
        now: the present moment (UTC).
        progress: what the step before said; empty for the first one.
    """
    tenant_id = session.scalar(
        sa.select(sa.func.min(StopEvent.tenant_id)).where(StopEvent.tenant_id > progress.get("tenant", 0))
    )
    if tenant_id is None:
        return Step(0, None)
    session.info["tenant_id"] = tenant_id  # as if the session had been opened for it
    learned = learn(session, now=now)
    session.info["tenant_id"] = None
    return Step(learned, {"tenant": tenant_id})


def learn(session: Session, *, now: datetime) -> int:
    """Learn from the last weeks of one tenant; gives how many factors the new set has."""
    since = now - LEARNED_FROM
    days = session.execute(
        sa.select(StopEvent.facility_id, StopEvent.day).where(StopEvent.occurred_at >= since).distinct()
    ).all()
    driven = [one for facility_id, day in days for one in made(session, facility_id, day)]
    tenant_id, rows = tenant_of(session), []
    for measure, sample_of in ((Measure.SERVICE, service_sample), (Measure.TRAVEL, travel_sample)):
        dated = [(one.ended_at, sample) for one in driven if (sample := sample_of(one)) is not None]
        if len(dated) < SAMPLES_MIN:
            continue
        before, after = _tested(dated, now)
        fitted = fit([sample for _at, sample in dated])
        assert fitted is not None, "there are samples"
        rows += _rows(fitted, tenant_id, measure, now, before, after)
    if rows:
        session.execute(sa.insert(LearnedFactor), rows)
        _forget(session, now)
    return len(rows)


def service_sample(one: Made) -> Sample | None:
    """How long a stop took against what was taken for granted; None where it tells nothing."""
    if one.served_s is None or one.service_s <= 0 or not _TIMES_S[0] <= one.served_s <= _TIMES_S[1]:
        return None
    assert one.arrived_at is not None, "he was there"
    keys = place_keys(one.latitude, one.longitude) | _who(one, one.arrived_at)
    return Sample(one.service_s, one.served_s, keys)


def travel_sample(one: Made) -> Sample | None:
    """How long a way took against the reference speed; None where it tells nothing."""
    if one.travelled_s is None or not _TIMES_S[0] <= one.travelled_s <= _TIMES_S[1]:
        return None
    if one.planned_distance_m is None or one.planned_distance_m < _DISTANCE_MIN_M:
        return None
    if one.planned_travel_s is None:  # a break was planned on the way
        return None
    assert one.left_before_at is not None, "he came from somewhere"
    planned_s = max(one.planned_distance_m * 3600 // REFERENCE.speed_m_per_h, 1)
    return Sample(planned_s, one.travelled_s, _who(one, one.left_before_at))


def place_keys(latitude: float, longitude: float) -> dict[Level, str]:
    """A building by about ten metres, its area by about a kilometre."""
    return {
        Level.AREA: f"{latitude:.2f},{longitude:.2f}",
        Level.BUILDING: f"{latitude:.4f},{longitude:.4f}",
    }


def hour_key(second_of_day: int) -> str:
    """The hour that a second of the day falls into."""
    return str(second_of_day // 3600 % _HOUR_KEYS)


def _who(one: Made, moment: datetime) -> dict[Level, str]:
    local = moment + timedelta(minutes=one.offset_minutes)
    return {Level.HOUR: str(local.hour), Level.COURIER: str(one.courier_id)}


def _tested(dated: Sequence[tuple[datetime, Sample]], now: datetime) -> tuple[float | None, float | None]:
    """The error on the last days of the plan, and of what was learned from the days before them."""
    earlier = [sample for at, sample in dated if at < now - TESTED_ON]
    later = [sample for at, sample in dated if at >= now - TESTED_ON]
    if len(earlier) < SAMPLES_MIN or not later:
        return None, None
    return error(later, None), error(later, fit(earlier))


def _rows(
    fitted: Fit,
    tenant_id: int,
    measure: Measure,
    now: datetime,
    before: float | None,
    after: float | None,
) -> list[dict[str, Any]]:
    return [
        {
            "tenant_id": tenant_id,
            "learned_at": now,
            "measure": measure,
            "level": level,
            "key": key,
            "log_factor": factor.log_factor,
            "samples": factor.samples,
            "spread": fitted.spread if level is Level.ALL else None,
            "error_before": before if level is Level.ALL else None,
            "error_after": after if level is Level.ALL else None,
        }
        for (level, key), factor in fitted.factors.items()
    ]


def _forget(session: Session, now: datetime) -> None:
    """Drop old sets, but for those that plans of today and later were made with."""
    used = sa.select(
        sa.select(sa.func.max(LearnedFactor.learned_at))
        .where(LearnedFactor.learned_at <= Plan.requested_at)
        .correlate(Plan)
        .scalar_subquery()
    ).where(Plan.day >= (now - timedelta(days=1)).date())
    known = session.scalars(used).all()
    session.execute(
        sa.delete(LearnedFactor).where(
            LearnedFactor.learned_at < now - _KEPT,
            LearnedFactor.learned_at.not_in([one for one in known if one is not None]),
        )
    )
