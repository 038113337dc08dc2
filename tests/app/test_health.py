"""The doors of operations: alive, ready, measured."""

from __future__ import annotations

import sqlalchemy as sa
from flask.testing import FlaskClient

from app.db import migrate
from app.db.session import Database


def test_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/livez").json == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "migration": migrate.head()}


def test_not_ready_while_the_database_is_behind_the_code(client: FlaskClient, database: Database) -> None:
    with database.unit_of_work(None) as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "0001" in answer.json["reason"]
    with database.unit_of_work(None) as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = :head"), {"head": migrate.head()})


def test_metrics_tell_of_requests_outbox_and_ledger(client: FlaskClient) -> None:
    client.get("/livez")
    text = client.get("/metrics").text
    for line in (
        'wheelhouse_requests_total{method="GET",route="/livez",status="200"}',
        "wheelhouse_outbox_waiting 0.0",
        "wheelhouse_ledger_unbalanced_entries 0.0",
        "wheelhouse_ledger_wrong_balances 0.0",
    ):
        assert line in text, line


def test_metrics_are_for_loopback_only(client: FlaskClient) -> None:
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.5"}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.5"}).status_code == 404


def test_the_language_switch_answers_a_browser(client: FlaskClient) -> None:
    answer = client.get("/login?lang=en", headers={"Accept": "text/html"})
    assert answer.status_code == 302
    assert answer.location.endswith("/login")


def test_every_answer_has_a_request_id_and_the_given_one_is_kept(client: FlaskClient) -> None:
    assert len(client.get("/livez").headers["X-Request-Id"]) == 16
    assert client.get("/livez", headers={"X-Request-Id": "abc"}).headers["X-Request-Id"] == "abc"
    assert client.get("/livez", headers={"X-Request-Id": "x" * 65}).headers["X-Request-Id"] != "x" * 65
