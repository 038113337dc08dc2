"""The customers of a batch: the same records as one by one, made together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.customers import service
from app.customers.many import find_or_create_many
from app.customers.models import Customer, IdentityKind
from app.db.session import Database
from app.errors import InvalidInputError
from tests.support.app import Logins

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def session(tenant: Logins, session_factory: Callable[..., Session]) -> Iterator[Session]:
    with session_factory(info={"tenant_id": tenant.tenant_id}) as opened:
        yield opened
        opened.rollback()


def test_the_known_are_found_and_the_new_made_each_once(session: Session) -> None:
    known = service.find_or_create(session, name="王芳", phone="13800138000", now=NOW)
    found = find_or_create_many(
        session,
        [
            ("李雷", "139 0013 9000", NOW),
            ("Fang", "+86-13800138000", NOW),
            ("韩梅", "13700137000", NOW),
            ("Lei", "13900139000", NOW),
        ],
    )
    assert found[1] is known
    assert found[0] is found[3]
    assert [one.name for one in found] == ["李雷", "王芳", "韩梅", "李雷"]
    assert [one.value for one in found[2].identities] == ["+8613700137000"]
    assert service.recognise(session, kind=IdentityKind.PHONE, value="13900139000") is found[0]
    assert find_or_create_many(session, []) == []


def test_one_without_a_name_is_refused_like_alone(session: Session) -> None:
    with pytest.raises(InvalidInputError):
        find_or_create_many(session, [("李雷", "13900139000", NOW), (" ", "13700137000", NOW)])


def test_two_batches_with_the_same_new_phones_at_once_make_one_record_each(
    tenant: Logins, database: Database
) -> None:
    phones = [f"1360013{number:04d}" for number in range(30)]
    at_once = Barrier(4)

    def book(number: int) -> list[int]:
        people = [(f"N{number}", phone, NOW) for phone in (phones if number % 2 else reversed(phones))]
        with database.unit_of_work(tenant.tenant_id) as session:
            at_once.wait(timeout=20)
            return sorted(one.id for one in find_or_create_many(session, people))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(book, range(4)))
    assert found == [found[0]] * 4
    with database.unit_of_work(tenant.tenant_id) as session:
        made = session.scalar(sa.select(sa.func.count()).where(Customer.name.like("N_")))
    assert made == len(phones)
