"""What was learned, for people: by names, with how much data stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import exp

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.dispatch.day.models import LearnedFactor, Level, Measure
from app.dispatch.models import Courier, StopRequest

_SHOWN_MAX = 24


@dataclass(frozen=True, slots=True)
class ShownFactor:
    """A factor for people: what it is of, by its name, and how much data stands behind it."""

    level: Level
    name: str
    factor: float
    samples: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What was learned of one measure; `rows` are those with the most data, levels in order."""

    measure: Measure
    learned_at: datetime
    factor: float
    samples: int
    error_before: float | None
    error_after: float | None
    rows: tuple[ShownFactor, ...]


def shown(session: Session) -> list[Shown]:
    """The latest set, for people."""
    learned_at = session.scalar(sa.select(sa.func.max(LearnedFactor.learned_at)))
    found = []
    for measure in Measure:
        everywhere = session.scalar(
            sa.select(LearnedFactor).where(
                LearnedFactor.learned_at == learned_at,
                LearnedFactor.measure == measure,
                LearnedFactor.level == Level.ALL,
            )
        )
        if everywhere is not None:
            found.append(
                Shown(
                    measure,
                    everywhere.learned_at,
                    exp(everywhere.log_factor),
                    everywhere.samples,
                    everywhere.error_before,
                    everywhere.error_after,
                    tuple(
                        one
                        for level in (Level.HOUR, Level.COURIER, Level.AREA, Level.BUILDING)
                        for one in _shown_level(session, everywhere, level)
                    ),
                )
            )
    return found


def _shown_level(session: Session, everywhere: LearnedFactor, level: Level) -> list[ShownFactor]:
    rows = session.scalars(
        sa.select(LearnedFactor)
        .where(
            LearnedFactor.learned_at == everywhere.learned_at,
            LearnedFactor.measure == everywhere.measure,
            LearnedFactor.level == level,
        )
        .order_by(LearnedFactor.samples.desc(), LearnedFactor.key)
        .limit(_SHOWN_MAX)
    ).all()
    names = {row.key: row.key for row in rows}
    if level is Level.COURIER:
        names |= {
            str(courier.id): f"{courier.name} {courier.code}"
            for courier in session.scalars(
                sa.select(Courier).where(Courier.id.in_([int(row.key) for row in rows]))
            )
        }
    if level is Level.HOUR:
        rows = sorted(rows, key=lambda row: int(row.key))
        names = {row.key: f"{int(row.key):02d}:00" for row in rows}
    if level is Level.BUILDING:
        names |= _addresses(session, {row.key for row in rows})
    # With its parent: what a time of this kind is expected to be, against the plan.
    return [
        ShownFactor(level, names[row.key], exp(everywhere.log_factor + row.log_factor), row.samples)
        for row in rows
    ]


def _addresses(session: Session, keys: set[str]) -> dict[str, str]:
    """An address in each of some buildings, as people know them."""
    found = {}
    for key in keys:
        latitude, longitude = (float(part) for part in key.split(","))
        address = session.scalar(
            sa.select(StopRequest.address)
            .where(
                StopRequest.latitude.between(latitude - 5e-5, latitude + 5e-5),
                StopRequest.longitude.between(longitude - 5e-5, longitude + 5e-5),
            )
            .limit(1)
        )
        if address is not None:
            found[key] = address
    return found
