"""/livez, /readyz, /metrics."""

from __future__ import annotations

import hmac
import ipaddress
import os
from collections.abc import Iterable, Sequence

import flask
import prometheus_client
import sqlalchemy as sa
from apiflask import APIFlask
from prometheus_client import multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.db import jobs, migrate
from app.db.outbox import ATTEMPTS_MAX, OutboxEvent
from app.errors import NotFoundError
from app.ledger import queries as ledger
from app.security import public
from app.shipments import calibration
from app.web import Services, services


def init_app(app: APIFlask) -> None:
    """Install the three doors."""
    app.add_url_rule("/livez", "livez", app.doc(hide=True)(livez))
    app.add_url_rule("/readyz", "readyz", app.doc(hide=True)(readyz))
    app.add_url_rule("/metrics", "metrics", app.doc(hide=True)(metrics))


@public
def livez() -> flask.typing.ResponseReturnValue:
    """The process answers."""
    return flask.jsonify(status="ok")


@public
def readyz() -> flask.typing.ResponseReturnValue:
    """The database answers and is at the head of the migrations; 503 with the reason otherwise."""
    try:
        with services().database.engine.connect() as connection:
            found = migrate.current(connection)
    except sa.exc.OperationalError:
        return flask.jsonify(status="unavailable", reason="the database does not answer"), 503
    expected = migrate.head()
    if found != expected:
        reason = f"the database is at migration {found}, the code at {expected}"
        return flask.jsonify(status="unavailable", reason=reason), 503
    return flask.jsonify(status="ok", migration=found)


@public
def metrics() -> flask.typing.ResponseReturnValue:
    """Prometheus metrics: to the bearer of METRICS_TOKEN, or to loopback where there is none."""
    _check_may_scrape()
    registry = prometheus_client.CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        text = prometheus_client.generate_latest(registry)
    else:
        text = prometheus_client.generate_latest(prometheus_client.REGISTRY)
    own = prometheus_client.CollectorRegistry()
    own.register(_DatabaseCollector(services()))
    return flask.Response(
        text + prometheus_client.generate_latest(own), content_type=prometheus_client.CONTENT_TYPE_LATEST
    )


def _check_may_scrape() -> None:
    token = services().settings.metrics_token
    if token is not None:
        given = flask.request.headers.get("Authorization", "")
        if hmac.compare_digest(given.encode(), b"Bearer " + token.get_secret_value().encode()):
            return
    else:
        remote = flask.request.remote_addr or ""
        forwarded = "X-Forwarded-For" in flask.request.headers
        if remote and not forwarded and ipaddress.ip_address(remote).is_loopback:
            return
    raise NotFoundError("no such page")


class _DatabaseCollector(Collector):
    """Figures that only the database knows, read when asked."""

    def __init__(self, found: Services) -> None:
        self._services = found

    def collect(self) -> Iterable[Metric]:
        with self._services.database.unit_of_work(None) as session:
            waiting, oldest, stuck = session.execute(
                sa.select(
                    sa.func.count().filter(OutboxEvent.attempts < ATTEMPTS_MAX),
                    sa.func.min(OutboxEvent.created_at),
                    sa.func.count().filter(OutboxEvent.attempts >= ATTEMPTS_MAX),
                ).where(OutboxEvent.handled_at.is_(None))
            ).one()
            runs = jobs.last_runs(session)
            health = ledger.health(session)
            promises = calibration.figures(session, now=self._services.clock())
        age_s = (self._services.clock() - oldest).total_seconds() if oldest is not None else 0.0
        yield GaugeMetricFamily("wheelhouse_outbox_waiting", "Events not handed on yet", value=waiting)
        yield GaugeMetricFamily("wheelhouse_outbox_oldest_seconds", "Age of the oldest of them", value=age_s)
        yield GaugeMetricFamily(
            "wheelhouse_outbox_stuck", "Events given up on; a person must look", value=stuck
        )
        yield GaugeMetricFamily("wheelhouse_ledger_entries", "Journal entries", value=health.entries)
        yield GaugeMetricFamily(
            "wheelhouse_ledger_unbalanced_entries",
            "Entries that do not sum to zero",
            value=health.unbalanced_entries,
        )
        yield GaugeMetricFamily(
            "wheelhouse_ledger_wrong_balances",
            "Accounts whose balance is not the sum of their lines",
            value=health.wrong_balances,
        )
        yield from _job_metrics(runs)
        yield from _promise_metrics(promises)


def _promise_metrics(figures: Sequence[calibration.Figure]) -> Iterable[Metric]:
    """Of the parcels of the latest months that were promised by a time, which share came by then."""
    labels = ["tenant", "stage", "promised"]
    kept = GaugeMetricFamily(
        "wheelhouse_promise_kept_ratio", "Share of parcels that came by the time told", labels=labels
    )
    parcels = GaugeMetricFamily("wheelhouse_promise_parcels", "How many parcels that is of", labels=labels)
    for one in figures:
        told = [one.tenant, one.stage, f"{one.promised_percent / 100:g}"]
        kept.add_metric(told, one.kept / one.parcels)
        parcels.add_metric(told, one.parcels)
    return kept, parcels


def _job_metrics(runs: Sequence[jobs.JobRun]) -> Iterable[Metric]:
    """Of the newest run of each job: when it began, how long it took, how far it has come."""
    started = GaugeMetricFamily(
        "wheelhouse_job_last_run_timestamp_seconds", "When a job last ran", labels=["job"]
    )
    seconds = GaugeMetricFamily(
        "wheelhouse_job_last_run_seconds", "How long it took; absent while it runs", labels=["job"]
    )
    steps = GaugeMetricFamily("wheelhouse_job_last_run_steps", "Its steps so far", labels=["job"])
    changed = GaugeMetricFamily("wheelhouse_job_last_run_changed", "What it changed so far", labels=["job"])
    for run in runs:
        started.add_metric([run.job], run.started_at.timestamp())
        steps.add_metric([run.job], run.steps)
        changed.add_metric([run.job], run.changed)
        if run.finished_at is not None:
            seconds.add_metric([run.job], (run.finished_at - run.started_at).total_seconds())
    return started, seconds, steps, changed
