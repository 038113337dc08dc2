"""The scheduler: a process of its own that runs the clock's work.

- One of any number of schedulers leads: it holds a PostgreSQL session advisory lock on a direct
  connection and gives up at once when that connection is lost. The others try every few seconds.
- APScheduler 3 decides when; the job table below is code. Each run is fenced by UNIQUE(job, slot) in
  the transaction of its effect, so a slot runs once even while two believe that they lead. A long job runs
  in steps, each a transaction of its own that also keeps how far it has come.
- The outbox relay, the workers of plans, studies, captures and the deliverer of webhooks need no leader (SKIP
  LOCKED): every scheduler runs them.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import FrameType

import psycopg
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.orm import Session

from app import housekeeping
from app.accounts import service as accounts
from app.clock import Clock, utcnow
from app.config import Settings
from app.containers import jobs as containers_jobs
from app.customers import jobs as customers_jobs
from app.db import outbox
from app.db.session import Database
from app.deliveries import jobs as deliveries_jobs
from app.dispatch import jobs as dispatch_jobs
from app.dispatch import journal as dispatch_journal
from app.dispatch import recurring
from app.dispatch.day import following as dispatch_following
from app.dispatch.day import learned as dispatch_learned
from app.dispatch.day import positions as dispatch_positions
from app.epcis import jobs as epcis_jobs
from app.network import design_jobs
from app.notify import jobs as notify_jobs
from app.orders import jobs as orders_jobs
from app.shipments import calibration, estimates, watching
from app.shipments import history as shipments_history
from app.shipments import jobs as shipments_jobs
from app.slots import Job, SteppedJob, run_slot
from app.subscriptions import SUBSCRIPTIONS
from app.webhooks import jobs as webhooks_jobs
from app.webhooks.client import Client
from app.webhooks.delivering import Deliverer

log = structlog.get_logger(__name__)

_LEADER_LOCK = 7_310_442
_ELECTION_S = 2.0
_HEARTBEAT_S = 2.0
_RELAY_IDLE_S = 0.5
_PLAN_IDLE_S = 0.5
_ESTIMATES_IDLE_S = 1.0
_WEBHOOKS_IDLE_S = 0.5
_CAPTURES_IDLE_S = 1.0
_STUDIES_IDLE_S = 2.0
_MISFIRE_GRACE_S = 300


def _drop_sessions(session: Session, _settings: Settings, now: datetime) -> int:
    return accounts.drop_expired_sessions(session, now=now)


JOBS: tuple[Job | SteppedJob, ...] = (
    Job("accounts.drop_expired_sessions", timedelta(hours=1), _drop_sessions),
    Job("housekeeping.forget_old", timedelta(hours=1), housekeeping.forget_old),
    Job("customers.drop_old_challenges", timedelta(hours=1), customers_jobs.drop_old_challenges),
    Job("dispatch.ask_recurring_pickups", timedelta(hours=1), recurring.ask_all_ahead),
    Job("notify.deliver", timedelta(seconds=15), notify_jobs.deliver),
    Job("shipments.make_partitions", timedelta(days=1), shipments_jobs.make_partitions),
    Job("shipments.measure_promises", timedelta(days=1), calibration.measure_promises),
    Job("shipments.learn_history", timedelta(days=1), shipments_history.learn_history),
    Job("containers.settle_findings", timedelta(minutes=1), containers_jobs.settle_findings),
    SteppedJob("dispatch.follow_rounds", timedelta(minutes=1), dispatch_following.follow_rounds),
    SteppedJob("dispatch.learn", timedelta(days=1), dispatch_learned.learn_step),
    Job("dispatch.forget_edits", timedelta(days=1), dispatch_journal.forget_edits),
    Job("dispatch.forget_positions", timedelta(hours=1), dispatch_positions.forget),
    SteppedJob("shipments.watch", timedelta(minutes=5), watching.watch_step),
    Job("deliveries.reverse_voided_cash", timedelta(minutes=10), deliveries_jobs.reverse_voided_cash),
    Job("shipments.find_overdue_merges", timedelta(minutes=15), shipments_jobs.find_overdue_merges),
    Job("deliveries.remind_waiting", timedelta(minutes=15), deliveries_jobs.remind_waiting),
    Job("orders.release_unconfirmed", timedelta(minutes=15), orders_jobs.release_unconfirmed),
    Job("webhooks.tidy", timedelta(hours=1), webhooks_jobs.tidy),
)


class Scheduler:
    """One scheduler process."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = utcnow,
        jobs: tuple[Job | SteppedJob, ...] = JOBS,
        runner: str | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._jobs = jobs
        self._runner = runner or f"{socket.gethostname()}:{os.getpid()}"
        self._database = Database(settings.database_url, pool_size=4)
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask the process to end; work in hand is finished."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop`: relay, plan and deliver always, jobs while leading."""
        workers = [
            threading.Thread(target=self._relay, name="relay"),
            threading.Thread(target=self._solve_plans, name="plans"),
            threading.Thread(target=self._renew_estimates, name="estimates"),
            threading.Thread(target=self._deliver_webhooks, name="webhooks"),
            threading.Thread(target=self._capture_events, name="captures"),
            threading.Thread(target=self._design_hubs, name="studies"),
        ]
        for worker in workers:
            worker.start()
        try:
            while not self._stopping.is_set():
                self._lead_if_elected()
                self._stopping.wait(_ELECTION_S)
        finally:
            self._stopping.set()
            for worker in workers:
                worker.join()
            self._database.dispose()

    def _lead_if_elected(self) -> None:
        """Hold the lock and run the jobs until told to stop or the connection is lost."""
        try:
            with psycopg.connect(_libpq_url(self._settings.database_url), autocommit=True) as connection:
                if not self._elected(connection):
                    return
                log.info("scheduler.leads", runner=self._runner)
                timer = self._start_timer()
                try:
                    while not self._stopping.wait(_HEARTBEAT_S):
                        connection.execute("SELECT 1")
                finally:
                    timer.shutdown(wait=True)
        except psycopg.OperationalError as error:
            log.warning("scheduler.lost_database", error=type(error).__name__)

    @staticmethod
    def _elected(connection: psycopg.Connection[tuple[bool]]) -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LEADER_LOCK,)).fetchone()
        return row is not None and row[0]

    def _start_timer(self) -> BackgroundScheduler:
        timer = BackgroundScheduler(timezone="UTC")
        for job in self._jobs:
            timer.add_job(
                self._run_job,
                IntervalTrigger(seconds=int(job.every.total_seconds()), timezone="UTC"),
                args=(job,),
                id=job.name,
                next_run_time=self._clock(),  # a new leader looks at once; the fence drops what has run
                misfire_grace_time=_MISFIRE_GRACE_S,
                coalesce=True,
                max_instances=1,
            )
        timer.start()
        return timer

    def _run_job(self, job: Job | SteppedJob) -> None:
        try:
            run_slot(self._database, job, self._settings, now=self._clock(), runner=self._runner)
        except Exception:
            log.exception("job.failed", job=job.name)

    def _relay(self) -> None:
        self._loop(_RELAY_IDLE_S, lambda: outbox.relay(self._database, SUBSCRIPTIONS, self._clock) > 0)

    def _solve_plans(self) -> None:
        cluster = self._settings.dask_scheduler
        self._loop(
            _PLAN_IDLE_S, lambda: dispatch_jobs.solve_next(self._database, self._clock, cluster=cluster)
        )

    def _deliver_webhooks(self) -> None:
        client = Client(allow_loopback=self._settings.webhooks_to_loopback)
        deliverer = Deliverer(self._database, self._clock, client)
        self._loop(_WEBHOOKS_IDLE_S, deliverer.step)
        deliverer.close()

    def _renew_estimates(self) -> None:
        self._loop(_ESTIMATES_IDLE_S, lambda: estimates.renew_waiting(self._database, self._clock))

    def _capture_events(self) -> None:
        base = self._settings.public_url.rstrip("/") + "/"
        self._loop(_CAPTURES_IDLE_S, lambda: epcis_jobs.capture_next(self._database, self._clock, base=base))

    def _design_hubs(self) -> None:
        stopped = self._stopping.is_set
        self._loop(_STUDIES_IDLE_S, lambda: design_jobs.design_next(self._database, self._clock, stopped))

    def _loop(self, idle_s: float, step: Callable[[], bool]) -> None:
        while not self._stopping.is_set():
            try:
                busy = step()
            except Exception:
                log.exception("worker.failed", worker=threading.current_thread().name)
                busy = False
            if not busy:
                self._stopping.wait(idle_s)


def _libpq_url(url: str) -> str:
    """The direct connection's URL: psycopg knows no SQLAlchemy driver names."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def main(settings: Settings) -> None:
    """Run a scheduler until SIGTERM or SIGINT."""
    scheduler = Scheduler(settings)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        scheduler.stop()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    scheduler.run()
