"""Idempotency-Key: one effect and one answer, however often and from however many threads."""

from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy as sa

from app.accounts.roles import Role
from app.customers.models import Customer
from app.db.session import Database
from app.errors import BadRequestError
from app.idempotency import parse_key
from tests.support.app import Api, Logins

PATH = "/api/v1/customers"


def person(number: int) -> dict[str, str]:
    return {"name": f"K{number}", "phone": f"1390000{number:04d}", "kind": "person"}


def test_many_threads_with_few_keys_have_one_effect_a_key(tenant: Logins, database: Database) -> None:
    api = tenant.api(Role.AGENT)
    answers: dict[int, set[tuple[int, str]]] = {number: set() for number in range(5)}
    lock = threading.Lock()

    def send(number: int) -> None:
        own = Api(tenant.app.test_client(), api.token)
        for _ in range(200):
            answer = own.post(PATH, key=f"key-{number}", json=person(number))
            if answer.status_code != 409:  # the first one is still running: ask again
                with lock:
                    answers[number].add((answer.status_code, answer.text))
                return
            time.sleep(0.02)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(5) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: len(seen) for number, seen in answers.items()} == dict.fromkeys(range(5), 1)
    assert {status for seen in answers.values() for status, _body in seen} == {201}
    with database.unit_of_work(tenant.tenant_id) as session:
        made = session.scalars(sa.select(Customer.name).where(Customer.name.like("K_"))).all()
    assert sorted(made) == [f"K{number}" for number in range(5)]


def test_the_same_key_with_another_body_is_refused(tenant: Logins) -> None:
    api = tenant.api(Role.AGENT)
    assert api.post(PATH, key="same", json=person(100)).status_code == 201
    answer = api.post(PATH, key="same", json=person(101))
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"


def test_keys_of_two_callers_do_not_meet(tenant: Logins) -> None:
    one, two = tenant.api(Role.AGENT, who="one"), tenant.api(Role.AGENT, who="two")
    assert one.post(PATH, key="shared", json=person(200)).status_code == 201
    second = two.post(PATH, key="shared", json=person(201))
    assert second.status_code == 201
    assert "Idempotent-Replayed" not in second.headers


def test_a_refused_request_may_be_sent_again_with_its_key(tenant: Logins) -> None:
    api = tenant.api(Role.AGENT)
    assert api.post(PATH, key="retry", json={"name": "", "phone": "x", "kind": "person"}).status_code == 422
    assert api.post(PATH, key="retry", json=person(300)).status_code == 201


def test_a_key_is_needed(tenant: Logins) -> None:
    assert tenant.api(Role.AGENT).post(PATH, key=None, json=person(400)).status_code == 400


@pytest.mark.parametrize(("header", "key"), [('"quoted"', "quoted"), ("bare", "bare"), (' "a\\"b" ', 'a"b')])
def test_both_forms_of_a_key_are_read(header: str, key: str) -> None:
    assert parse_key(header) == key


@pytest.mark.parametrize("header", [None, "", '""', "x" * 256, "tab\there", "中文"])
def test_a_key_that_is_none_is_refused(header: str | None) -> None:
    with pytest.raises(BadRequestError):
        parse_key(header)
