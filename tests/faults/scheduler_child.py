"""A scheduler for the fault tests: one job a second, whose effect is a row that nothing makes unique."""

from __future__ import annotations

import signal
import sys
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.scheduler import Scheduler
from app.slots import Job, slot_of

EVERY = timedelta(seconds=1)


def main(url: str, name: str) -> None:
    def effect(session: Session, _settings: Settings, now: datetime) -> int:
        session.execute(
            sa.text("INSERT INTO effect (slot, runner) VALUES (:slot, :runner)"),
            {"slot": slot_of(now, EVERY), "runner": name},
        )
        return 1

    settings = Settings(database_url=url, secret_key="a key of the tests that is long enough")
    scheduler = Scheduler(settings, jobs=(Job("test.effect", EVERY, effect),), runner=name)
    signal.signal(signal.SIGTERM, lambda _number, _frame: scheduler.stop())
    scheduler.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
