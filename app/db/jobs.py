"""The fence of scheduled jobs: one row for each slot of each job, whoever runs it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base


class JobRun(Base):
    """A job's run for a slot; the primary key is what makes a slot run once."""

    __tablename__ = "job_run"

    job: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[datetime] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(index=True)
    runner: Mapped[str]


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


def last_runs(session: Session) -> dict[str, datetime]:
    """When each job last ran."""
    rows = session.execute(sa.select(JobRun.job, sa.func.max(JobRun.started_at)).group_by(JobRun.job))
    return dict(rows.all())
