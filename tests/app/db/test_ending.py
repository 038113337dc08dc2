"""The end of a transaction: what is put off happens once, at the end, and nothing is locked after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.customers.models import Customer, CustomerKind
from app.db import ending
from app.db.ending import LockOrderError
from app.db.session import Database, execute_plain
from tests.support.app import Logins, StepClock


@pytest.fixture
def customer_id(database: Database, tenant: Logins, clock: StepClock) -> int:
    with database.unit_of_work(tenant.tenant_id) as session:
        row = Customer(kind=CustomerKind.PERSON, name="before", created_at=clock())
        session.add(row)
    return row.id


class Noted:
    """What was done of what was put off, call by call."""

    def __init__(self) -> None:
        self.calls: list[list[Any]] = []

    def work(self, _session: Session, items: Sequence[Any]) -> None:
        self.calls.append(list(items))


def test_what_is_put_off_is_done_at_once_when_everything_is_written(
    database: Database, tenant: Logins, customer_id: int
) -> None:
    seen = []

    def work(session: Session, items: Sequence[Any]) -> None:
        name = session.scalar(sa.select(Customer.name).where(Customer.id == customer_id))
        seen.append((name, list(items)))

    with database.unit_of_work(tenant.tenant_id) as session:
        ending.put_off(session, work, [1, 2])
        session.get_one(Customer, customer_id).name = "after"
        ending.put_off(session, work, [3])
        assert ending.waiting(session, work) == [1, 2, 3]
        assert seen == []
    assert seen == [("after", [1, 2, 3])]


def test_what_is_rolled_back_is_not_done(database: Database, tenant: Logins) -> None:
    noted = Noted()
    work = noted.work
    with pytest.raises(RuntimeError), database.unit_of_work(tenant.tenant_id) as session:
        ending.put_off(session, work, ["undone"])
        raise RuntimeError
    with database.unit_of_work(tenant.tenant_id) as session:
        ending.put_off(session, work, ["kept"])
        with session.begin_nested():
            ending.put_off(session, work, ["kept too"])
            with pytest.raises(RuntimeError), session.begin_nested():
                ending.put_off(session, work, ["undone"])
                raise RuntimeError
        with pytest.raises(RuntimeError), session.begin_nested():
            with session.begin_nested():
                ending.put_off(session, work, ["undone with what it was part of"])
            raise RuntimeError
    assert noted.calls == [["kept", "kept too"]]
    with database.unit_of_work(tenant.tenant_id) as session:
        ending.put_off(session, work, ["undone"])
        session.rollback()
    assert len(noted.calls) == 1


def test_a_failure_at_the_end_undoes_the_transaction(
    database: Database, tenant: Logins, customer_id: int
) -> None:
    def work(_session: Session, _items: Sequence[Any]) -> None:
        raise ValueError("refused at the end")

    with pytest.raises(ValueError, match="at the end"), database.unit_of_work(tenant.tenant_id) as session:
        session.get_one(Customer, customer_id).name = "after"
        ending.put_off(session, work, [1])
    with database.unit_of_work(tenant.tenant_id) as session:
        assert session.get_one(Customer, customer_id).name == "before"


def _selects(session: Session, customer_id: int) -> None:
    session.execute(sa.select(Customer.id).where(Customer.id == customer_id).with_for_update())


def _refreshes(session: Session, customer_id: int) -> None:
    session.refresh(session.get_one(Customer, customer_id), with_for_update=True)


def _updates(session: Session, customer_id: int) -> None:
    session.execute(sa.update(Customer).where(Customer.id == customer_id).values(name="x"))


def _deletes(session: Session, customer_id: int) -> None:
    session.execute(sa.delete(Customer).where(Customer.id == customer_id))


def _changes(session: Session, customer_id: int) -> None:
    session.get_one(Customer, customer_id).name = "x"
    session.flush()  # what a commit would do


def _asks_plainly(session: Session, customer_id: int) -> None:
    execute_plain(session, "SELECT id FROM customer WHERE id = %s FOR NO KEY UPDATE", (customer_id,))


@pytest.mark.parametrize("lock", [_selects, _refreshes, _updates, _deletes, _changes, _asks_plainly])
def test_after_the_last_lock_nothing_is_locked(
    database: Database, tenant: Logins, customer_id: int, lock: Callable[[Session, int], None]
) -> None:
    with database.unit_of_work(tenant.tenant_id) as session:
        ending.begin(session)
        assert session.get_one(Customer, customer_id).name == "before"  # to look is free
        with pytest.raises(LockOrderError):
            lock(session, customer_id)
        session.rollback()
        lock(session, customer_id)  # another transaction, another end
        session.rollback()


def test_a_savepoint_gives_its_last_locks_back(database: Database, tenant: Logins, customer_id: int) -> None:
    with database.unit_of_work(tenant.tenant_id) as session:
        with pytest.raises(RuntimeError), session.begin_nested():
            ending.begin(session)
            raise RuntimeError
        _selects(session, customer_id)
        with session.begin_nested():
            ending.begin(session)
        with pytest.raises(LockOrderError):
            _selects(session, customer_id)


def test_who_has_ended_may_still_add(database: Database, tenant: Logins, clock: StepClock) -> None:
    with database.unit_of_work(tenant.tenant_id) as session:
        ending.begin(session)
        row = Customer(kind=CustomerKind.PERSON, name="new", created_at=clock())
        session.add(row)
    with database.unit_of_work(tenant.tenant_id) as session:
        assert session.get_one(Customer, row.id).name == "new"
