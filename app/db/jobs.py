"""The fence of scheduled jobs: one row for each slot of each job, whoever runs it.

A short job claims its slot in the transaction of its effect. A long one works in steps: its row keeps how far
it has come, written in the transaction of each step, so that no step is done twice and another runner goes on
where one was killed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base


class JobRun(Base):
    """A job's run for a slot; the primary key is what makes a slot run once.

    `progress` is how far a run in steps has come; empty before its first one.
    """

    __tablename__ = "job_run"
    __table_args__ = (
        sa.Index("ix_job_run_unfinished", "job", "slot", postgresql_where=sa.text("finished_at IS NULL")),
    )

    job: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[datetime] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]
    runner: Mapped[str]
    steps: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a long job did.

    Attributes:
        changed: how many things.
        progress: where the next step begins; None when nothing is left.
    """

    changed: int
    progress: Mapping[str, Any] | None


def claim_slot(session: Session, job: str, slot: datetime, *, runner: str, now: datetime) -> bool:
    """Claim a slot in the transaction of the job's effect; False when another runner has it.

    A second runner waits here until the first commits (then it gets False) or rolls back (then it may run).
    """
    claimed = session.scalar(
        insert(JobRun)
        .values(job=job, slot=slot, started_at=now, runner=runner)
        .on_conflict_do_nothing()
        .returning(JobRun.job)
    )
    return claimed is not None


def finish(session: Session, job: str, slot: datetime, *, changed: int, at: datetime) -> None:
    """Write down what a run that was claimed in this transaction has done."""
    run = session.get_one(JobRun, (job, slot))
    run.finished_at, run.changed, run.steps = at, changed, 1


def has_unfinished(session: Session, job: str) -> bool:
    """Whether a run in steps has begun and not ended."""
    unfinished = sa.exists().where(JobRun.job == job, JobRun.finished_at.is_(None))
    return bool(session.scalar(sa.select(unfinished)))


def take_unfinished(session: Session, job: str) -> JobRun | None:
    """The run in steps that has not ended, locked for one step; None when there is none or another has it."""
    return session.scalar(
        sa.select(JobRun)
        .where(JobRun.job == job, JobRun.finished_at.is_(None))
        .order_by(JobRun.slot)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def last_runs(session: Session) -> Sequence[JobRun]:
    """The newest run of each job."""
    return session.scalars(
        sa.select(JobRun).ext(distinct_on(JobRun.job)).order_by(JobRun.job, JobRun.started_at.desc())
    ).all()
