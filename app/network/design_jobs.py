"""The worker of hub studies: takes one at a time, lets another process search, and keeps the answer.

A worker that dies leaves its study without a sign of life, and another takes it after a while; after
`TRIES_MAX` such ends the study has failed. The search is a process of its own, because it computes for
minutes; it is ended when the study is given up or the scheduler stops.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import CursorResult

from app.clock import Clock
from app.config import REPOSITORY
from app.db.session import Database
from app.errors import AppError
from app.network import designing
from app.network.designing import Files
from app.network.models import HubStudy, StudyStatus

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
"""A study whose worker has given no sign of life for so long is taken by another."""
TRIES_MAX = 3
_TICK_S = 1.0
# Proving a bound overruns the time asked for now and then; beyond this it is not coming to an end.
_OVERRUN_S = 120
_ERROR_LENGTH_MAX = 500


class _EndedError(Exception):
    """The search has ended without an answer; the message says why, or nothing where nobody wants it."""


def design_next(database: Database, clock: Clock, stopped: Callable[[], bool]) -> bool:
    """Answer one study, if there is one; True when there was.

    Args:
        database: of all tenants.
        clock: the present moment.
        stopped: asked every second; the study is left to the next worker when it says so.
    """
    claimed = _claim(database, clock())
    if claimed is None:
        return False
    tenant_id, study_id, tries = claimed
    log.info("study.solving", study_id=study_id, tries=tries)
    try:
        with database.unit_of_work(tenant_id) as session:
            study = session.get_one(HubStudy, study_id)
            files, command = designing.files_of(session, study), _options(study)
            patience_s = study.seconds + _OVERRUN_S

        def wanted() -> bool:
            return not stopped() and _alive(database, study_id, tries, clock())

        answer = _search(files, command, patience_s, wanted)
    except (AppError, _EndedError) as error:
        if str(error):
            _end(database, study_id, tries, clock(), error=str(error)[:_ERROR_LENGTH_MAX])
            log.warning("study.failed", study_id=study_id, error=str(error))
        elif stopped():
            _give_back(database, study_id, tries)
    else:
        _end(database, study_id, tries, clock(), answer=answer)
        log.info("study.done", study_id=study_id)
    return True


def _claim(database: Database, now: datetime) -> tuple[int, int, int] | None:
    """Take the study that waits longest: tenant, study, and which try this is."""
    with database.unit_of_work(None) as session:
        abandoned = sa.and_(HubStudy.status == StudyStatus.SOLVING, HubStudy.seen_at < now - LEASE)
        study = session.scalar(
            sa.select(HubStudy)
            .where(sa.or_(HubStudy.status == StudyStatus.REQUESTED, abandoned))
            .order_by(HubStudy.asked_at, HubStudy.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if study is None:
            return None
        if study.tries >= TRIES_MAX:
            study.status, study.ended_at = StudyStatus.FAILED, now
            study.error = f"the worker died {study.tries} times"
            return None
        study.status, study.tries = StudyStatus.SOLVING, study.tries + 1
        study.solving_since = study.seen_at = now
        return study.tenant_id, study.id, study.tries


def _options(study: HubStudy) -> list[str]:
    return [
        *("--hubs", str(study.hubs), "--alpha", str(study.discount_percent / 100)),
        *("--allocation", "multiple" if study.multiple else "single", "--seconds", str(study.seconds)),
        "--json",
    ]


def _search(
    files: Files, options: list[str], patience_s: float, wanted: Callable[[], bool]
) -> dict[str, Any]:
    """Run the engine's own command; gives what it prints.

    Raises:
        _EndedError: it failed, took too long, or is wanted no more.
    """
    with tempfile.TemporaryDirectory(prefix="wheelhouse-study-") as folder:
        paths = [Path(folder, "facilities.csv")]
        paths[0].write_text(files.facilities, encoding="utf-8")
        if files.demand is not None:
            paths.append(Path(folder, "demand.csv"))
            paths[1].write_text(files.demand, encoding="utf-8")
        command = [sys.executable, "-m", "routing.network", "design", *map(str, paths), *options]
        with subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            waited_s = 0.0
            while True:
                try:
                    printed, complaint = process.communicate(timeout=_TICK_S)
                    break
                except subprocess.TimeoutExpired:
                    waited_s += _TICK_S
                    if not wanted():
                        process.kill()
                        raise _EndedError from None
                    if waited_s > patience_s:
                        process.kill()
                        raise _EndedError(f"the search did not end within {patience_s:.0f} s") from None
    if process.returncode != 0:
        raise _EndedError(complaint.strip().splitlines()[-1] if complaint.strip() else "the search failed")
    found: dict[str, Any] = msgspec.json.decode(printed)
    return found


def _alive(database: Database, study_id: int, tries: int, now: datetime) -> bool:
    """Give a sign of life; False when the study is no longer this worker's."""
    with database.unit_of_work(None) as session:
        done = session.execute(_mine(study_id, tries).values(seen_at=now))
        assert isinstance(done, CursorResult), "an UPDATE"
        return bool(done.rowcount)


def _end(
    database: Database,
    study_id: int,
    tries: int,
    now: datetime,
    *,
    answer: dict[str, Any] | None = None,
    error: str | None = None,
) -> None:
    status = StudyStatus.DONE if error is None else StudyStatus.FAILED
    with database.unit_of_work(None) as session:
        session.execute(
            _mine(study_id, tries).values(status=status, ended_at=now, answer=answer, error=error)
        )


def _give_back(database: Database, study_id: int, tries: int) -> None:
    """Leave a study to the next worker: this one was asked to stop, which is no fault of the study's."""
    with database.unit_of_work(None) as session:
        session.execute(_mine(study_id, tries).values(status=StudyStatus.REQUESTED, tries=tries - 1))


def _mine(study_id: int, tries: int) -> sa.Update:
    return (
        sa.update(HubStudy)
        .where(HubStudy.id == study_id, HubStudy.status == StudyStatus.SOLVING, HubStudy.tries == tries)
        .execution_options(synchronize_session=False)
    )
