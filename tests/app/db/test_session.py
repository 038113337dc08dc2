"""The one door to the database: commits, rolls back, and keeps tenants apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from app.accounts import service as accounts
from app.accounts.models import AuditEntry
from app.accounts.roles import Role
from app.customers.models import Customer, CustomerKind
from app.db.session import CrossTenantWriteError, Database, tenant_of
from tests.support.app import Logins

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def _customer(name: str) -> Customer:
    return Customer(kind=CustomerKind.PERSON, name=name, created_at=NOW)


def test_a_session_sees_its_tenants_rows_and_no_others(
    database: Database, new_tenant: Callable[[], Logins]
) -> None:
    mine, theirs = new_tenant(), new_tenant()
    with database.unit_of_work(theirs.tenant_id) as session:
        other = _customer("other")
        session.add(other)
    with database.unit_of_work(mine.tenant_id) as session:
        session.add(_customer("own"))
    with database.unit_of_work(mine.tenant_id) as session:
        assert session.scalars(sa.select(Customer.name)).all() == ["own"]
        assert session.get(Customer, other.id) is None
        assert session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 1
        changed = session.execute(sa.update(Customer).values(name="taken").returning(Customer.id)).all()
        assert len(changed) == 1
    with database.unit_of_work(None) as session:
        assert {row.name for row in session.scalars(sa.select(Customer))} >= {"other", "taken"}


def test_a_row_of_another_tenant_cannot_be_written(
    database: Database, new_tenant: Callable[[], Logins]
) -> None:
    mine, theirs = new_tenant(), new_tenant()
    stray = _customer("stray")
    stray.tenant_id = theirs.tenant_id
    with pytest.raises(CrossTenantWriteError), database.unit_of_work(mine.tenant_id) as session:
        session.add(stray)


def test_an_exception_rolls_everything_back(database: Database, tenant: Logins) -> None:
    with pytest.raises(RuntimeError, match="half-way"), database.unit_of_work(tenant.tenant_id) as session:
        session.add(_customer("half"))
        session.flush()  # so that the row would be there if the rollback failed
        raise RuntimeError("half-way")
    with database.unit_of_work(tenant.tenant_id) as session:
        assert session.scalar(sa.select(Customer).where(Customer.name == "half")) is None


def test_work_for_one_tenant_refuses_a_session_for_all(database: Database) -> None:
    with database.unit_of_work(None) as session, pytest.raises(CrossTenantWriteError):
        tenant_of(session)


def test_a_naive_time_is_refused(database: Database, tenant: Logins) -> None:
    row = _customer("naive")
    row.created_at = datetime(2026, 3, 2)  # noqa: DTZ001 - naive on purpose
    with (
        pytest.raises(sa.exc.StatementError, match="naive"),
        database.unit_of_work(tenant.tenant_id) as session,
    ):
        session.add(row)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
def test_append_only_tables_refuse_change(database: Database, tenant: Logins, statement: str) -> None:
    actor = tenant.actor(Role.ADMIN)
    with database.unit_of_work(tenant.tenant_id) as session:
        accounts.audit(session, actor, "looked", subject_kind="test", subject_id=1, now=NOW)
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), database.unit_of_work(None) as session:
        session.execute(sa.text(statement))
    with database.unit_of_work(tenant.tenant_id) as session:
        assert session.scalars(sa.select(AuditEntry.action)).all()[0] == "looked"


def test_a_connection_that_was_lost_while_it_rested_is_replaced(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = sa.text("SELECT pg_backend_pid()")
    end = sa.text("SELECT pg_terminate_backend(:pid, 5000)")
    first, second = Database(database.url), Database(database.url)
    try:
        with first.unit_of_work(None) as session:
            pid = session.scalar(ask)
        with second.unit_of_work(None) as session:
            assert session.scalar(end, {"pid": pid})
        with pytest.raises(sa.exc.OperationalError), first.unit_of_work(None) as session:
            session.scalar(ask)  # used a moment ago, so nobody asked whether it stands
        with first.unit_of_work(None) as session:
            pid = session.scalar(ask)
        with second.unit_of_work(None) as session:
            assert session.scalar(end, {"pid": pid})
        monkeypatch.setattr("app.db.session._RESTED_S", 0.0)
        with first.unit_of_work(None) as session:
            assert session.scalar(ask) not in (None, pid)
    finally:
        first.dispose()
        second.dispose()
