"""Posting: once, in one line, within the limits, by many at once."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from app.ledger import queries, service
from app.ledger.models import Account, JournalEntry
from app.ledger.values import entry_value
from settlement import ledger as engine
from settlement.errors import BalanceLimitError, EntryConflictError
from settlement.ledger import Purpose

from .conftest import NOW, Books


def test_an_entry_is_stored_with_lines_balances_and_evidence(database, books: Books):
    entry = books.receive("r1", books.first_id, 500)
    with database.unit_of_work(books.tenant_id) as session:
        service.post(session, entry, now=NOW)
    with database.unit_of_work(books.tenant_id) as session:
        stored = queries.entry_by_key(session, "r1")
        assert entry_value(stored) == entry
        assert stored.sequence == 1
        assert queries.balance(session, books.account(Purpose.AVAILABLE, books.first_id)) == -500
        assert queries.balance(session, books.account(Purpose.CUSTODY)) == 500
        assert queries.balance(session, books.account(Purpose.HELD, books.first_id)) == 0
        assert [e.entry_key for e in queries.entries_with_evidence(session, "order", "O-r1")] == ["r1"]
        assert queries.party_balances(session, currency="CNY") == {
            books.account(Purpose.AVAILABLE, books.first_id): -500
        }


def test_the_same_entry_posted_again_is_the_stored_one(database, books: Books):
    entry = books.receive("r1", books.first_id, 500)
    with database.unit_of_work(books.tenant_id) as session:
        service.post(session, entry, now=NOW)
    with database.unit_of_work(books.tenant_id) as session:
        service.post(session, entry, now=NOW)
        service.post_many(session, [entry, entry], now=NOW)
    with database.unit_of_work(books.tenant_id) as session:
        assert session.scalar(sa.select(sa.func.count(JournalEntry.id))) == 1
        assert queries.balance(session, books.account(Purpose.CUSTODY)) == 500


def test_one_key_has_one_content(database, books: Books):
    with database.unit_of_work(books.tenant_id) as session:
        service.post(session, books.receive("r1", books.first_id, 500), now=NOW)
    with pytest.raises(EntryConflictError), database.unit_of_work(books.tenant_id) as session:
        service.post(session, books.receive("r1", books.first_id, 501), now=NOW)
    twice = [books.receive("r2", books.first_id, 1), books.receive("r2", books.first_id, 2)]
    with pytest.raises(EntryConflictError), database.unit_of_work(books.tenant_id) as session:
        service.post_many(session, twice, now=NOW)


def test_keys_and_balances_of_two_tenants_do_not_meet(database, books: Books, new_tenant):
    from .conftest import make_books

    other = make_books(database, new_tenant())
    for each in (books, other):
        with database.unit_of_work(each.tenant_id) as session:
            service.post(session, each.receive("r1", each.first_id, 500), now=NOW)
        with database.unit_of_work(each.tenant_id) as session:
            assert session.scalars(sa.select(JournalEntry.sequence)).all() == [1]
    with pytest.raises(AssertionError), database.unit_of_work(other.tenant_id) as session:
        service.post(session, books.receive("r9", books.first_id, 500), now=NOW)


def test_nobody_takes_more_than_is_his_own(database, books: Books):
    with database.unit_of_work(books.tenant_id) as session:
        service.post(session, books.receive("r1", books.first_id, 500), now=NOW)
    with pytest.raises(BalanceLimitError), database.unit_of_work(books.tenant_id) as session:
        service.post(session, books.transfer("t1", books.first_id, books.second_id, 501), now=NOW)
    with database.unit_of_work(books.tenant_id) as session:
        assert queries.entry_by_key(session, "t1") is None
        # The platform guarantees, so it may.
        service.post(session, books.transfer("t2", books.platform_id, books.second_id, 501), now=NOW)


def test_the_database_refuses_what_the_service_would(database, books: Books):
    with database.unit_of_work(books.tenant_id) as session:
        service.post(session, books.receive("r1", books.first_id, 500), now=NOW)
    with pytest.raises(sa.exc.IntegrityError, match="never_credit"), database.engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE ledger_account SET balance_minor = -1 WHERE tenant_id = :id AND purpose = 'custody'"
            ),
            {"id": books.tenant_id},
        )


def test_posting_follows_the_engines_own_ledger(database, books: Books):
    """The engine's ledger in memory is the oracle: same answers, same balances, same last hash."""
    choices = random.Random(7)
    oracle = engine.Ledger(books.platform_id)
    everybody = [books.platform_id, books.first_id, books.second_id]
    for _ in range(120):
        amount_minor = choices.randint(1, 400)
        payer_id, payee_id = choices.sample(everybody, 2)
        key = f"e{choices.randint(0, 90)}"
        entry = (
            books.receive(key, payee_id, amount_minor)
            if choices.random() < 0.4
            else books.transfer(key, payer_id, payee_id, amount_minor)
        )
        expected = None
        try:
            oracle.apply(entry)
        except (EntryConflictError, BalanceLimitError) as error:
            expected = type(error)
        if expected is None:
            with database.unit_of_work(books.tenant_id) as session:
                service.post(session, entry, now=NOW)
        else:
            with pytest.raises(expected), database.unit_of_work(books.tenant_id) as session:
                service.post(session, entry, now=NOW)
    assert len(oracle.entries) > 20
    with database.unit_of_work(books.tenant_id) as session:
        rows = session.scalars(sa.select(JournalEntry).order_by(JournalEntry.sequence)).all()
        assert [entry_value(row) for row in rows] == list(oracle.entries)
        assert rows[-1].entry_hash == oracle.head
        for key, balance_minor in oracle.balances.items():
            assert queries.balance(session, key) == balance_minor


def test_many_posting_the_same_keys_have_one_effect(database, books: Books):
    entries = [books.receive(f"r{number}", books.first_id, 100 + number) for number in range(12)]
    start = threading.Barrier(6)

    def worker(seed: int) -> None:
        order = entries.copy()
        random.Random(seed).shuffle(order)
        start.wait()
        for entry in order:
            with database.unit_of_work(books.tenant_id) as session:
                service.post(session, entry, now=NOW)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(worker, range(6)))
    with database.unit_of_work(books.tenant_id) as session:
        assert queries.balance(session, books.account(Purpose.CUSTODY)) == sum(100 + n for n in range(12))
        sequences = session.scalars(sa.select(JournalEntry.sequence).order_by(JournalEntry.sequence)).all()
        assert list(sequences) == list(range(1, 13))
        assert session.scalar(sa.select(sa.func.count(Account.id))) == 2
        assert queries.broken_chain(session) == []


def test_transfers_both_ways_at_once_do_not_deadlock(database, books: Books):
    with database.unit_of_work(books.tenant_id) as session:
        service.post_many(
            session,
            [books.receive("a", books.first_id, 10_000), books.receive("b", books.second_id, 10_000)],
            now=NOW,
        )
    start = threading.Barrier(6)

    def worker(number: int) -> None:
        pair = (books.first_id, books.second_id)
        payer_id, payee_id = pair if number % 2 else pair[::-1]
        available = [books.account(Purpose.AVAILABLE, party_id) for party_id in (payer_id, payee_id)]
        start.wait()
        for turn in range(20):
            with database.unit_of_work(books.tenant_id) as session:
                if turn % 3 == 0:  # as a payout does: look under the lock, then post
                    service.lock_accounts(session, available)
                service.post_many(
                    session,
                    [
                        books.transfer(f"{number}-{turn}-{part}", payer_id, payee_id, 1 + number)
                        for part in (1, 2)
                    ],
                    now=NOW,
                )

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(worker, number) for number in range(6)]:
            done.result(timeout=60)
    moved = 40 * sum(1 + number if number % 2 else -(1 + number) for number in range(6))
    with database.unit_of_work(books.tenant_id) as session:
        assert queries.balance(session, books.account(Purpose.AVAILABLE, books.first_id)) == -10_000 + moved
        assert queries.balance(session, books.account(Purpose.AVAILABLE, books.second_id)) == -10_000 - moved
        health = queries.health(session)
        assert (health.entries, health.unbalanced_entries, health.wrong_balances) == (242, 0, 0)
        assert queries.broken_chain(session) == []
