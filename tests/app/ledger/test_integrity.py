"""What the journal refuses, and what is found when somebody gets past that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from app.ledger import queries, service
from app.ledger.integrity import Break

from .conftest import NOW, Books


@pytest.fixture
def journal(database, books: Books) -> Books:
    with database.unit_of_work(books.tenant_id) as session:
        service.post_many(
            session,
            [books.receive(f"r{number}", books.first_id, 100 * number) for number in range(1, 6)],
            now=NOW,
        )
    return books


@contextmanager
def unguarded(database) -> Iterator[sa.Connection]:
    """What only a superuser can do: write past the triggers. Undone at the end."""
    with database.engine.connect() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        yield connection
        connection.rollback()


def seen_through(database, connection: sa.Connection, tenant_id: int):
    from sqlalchemy.orm import Session

    return Session(connection, info={"tenant_id": tenant_id})


@pytest.mark.parametrize("table", ["journal_entry", "journal_line", "journal_evidence"])
@pytest.mark.parametrize(
    "change", ["UPDATE {0} SET tenant_id = tenant_id", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"]
)
def test_the_journal_is_append_only(database, journal: Books, table: str, change: str):
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.engine.begin() as connection:
        connection.execute(sa.text(change.format(table)))


def test_lines_that_do_not_balance_are_refused(database, journal: Books):
    insert = sa.text(
        "INSERT INTO journal_line (tenant_id, entry_id, account_id, amount_minor) "
        "SELECT tenant_id, entry_id, account_id, 5 FROM journal_line WHERE tenant_id = :id LIMIT 1"
    )
    with pytest.raises(sa.exc.IntegrityError, match="sum to zero"), database.engine.begin() as connection:
        connection.execute(insert, {"id": journal.tenant_id})


def test_a_whole_journal_is_found_whole(database, journal: Books):
    with database.unit_of_work(journal.tenant_id) as session:
        health = queries.health(session)
        assert (health.entries, health.unbalanced_entries, health.wrong_balances) == (5, 0, 0)
        assert queries.broken_chain(session) == []
    with database.unit_of_work(None) as session:
        everywhere = queries.health(session)
        assert everywhere.entries >= 5
        assert (everywhere.unbalanced_entries, everywhere.wrong_balances) == (0, 0)
        assert queries.broken_chain(session) == []


CORRUPTIONS = {
    "a balance": (
        "UPDATE ledger_account SET balance_minor = balance_minor + 1 WHERE id = {account}",
        (0, 1),
        [],
    ),
    "a line": (
        "UPDATE journal_line SET amount_minor = amount_minor + 1 WHERE id = {line}",
        (1, 1),
        [(3, Break.ALTERED)],
    ),
    "a moment": (
        "UPDATE journal_entry SET effective_at = effective_at + interval '1 day' WHERE id = {entry}",
        (0, 0),
        [(3, Break.ALTERED)],
    ),
    "evidence": (
        "UPDATE journal_evidence SET ref = 'X' WHERE entry_id = {entry}",
        (0, 0),
        [(3, Break.ALTERED)],
    ),
    "an emptied entry": ("DELETE FROM journal_line WHERE entry_id = {entry}", (1, 2), [(3, Break.ALTERED)]),
    "a rewritten hash": (
        "UPDATE journal_entry SET entry_hash = sha256('x') WHERE id = {entry}",
        (0, 0),
        [(3, Break.ALTERED), (4, Break.NOT_CHAINED)],
    ),
}


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_a_corruption_is_found(database, journal: Books, what: str):
    change, (unbalanced, wrong), broken = CORRUPTIONS[what]
    with unguarded(database) as connection:
        entry, line, account = connection.execute(
            sa.text(
                "SELECT e.id, l.id, l.account_id FROM journal_entry e "
                "JOIN journal_line l ON l.entry_id = e.id "
                "WHERE e.tenant_id = :id AND e.sequence = 3 ORDER BY l.id LIMIT 1"
            ),
            {"id": journal.tenant_id},
        ).one()
        connection.execute(sa.text(change.format(entry=entry, line=line, account=account)))
        with seen_through(database, connection, journal.tenant_id) as session:
            health = queries.health(session)
            assert (health.unbalanced_entries, health.wrong_balances) == (unbalanced, wrong)
            assert [(link.sequence, link.kind) for link in queries.broken_chain(session)] == broken


@pytest.mark.parametrize(
    ("condition", "broken"), [("sequence = 3", [(4, Break.MISSING)]), ("sequence >= 4", [(5, Break.CUT_OFF)])]
)
def test_a_removed_entry_is_found(database, journal: Books, condition: str, broken):
    which = f"IN (SELECT id FROM journal_entry WHERE tenant_id = {journal.tenant_id} AND {condition})"
    with unguarded(database) as connection:
        for table in ("journal_line", "journal_evidence"):
            connection.execute(sa.text(f"DELETE FROM {table} WHERE entry_id {which}"))
        connection.execute(sa.text(f"DELETE FROM journal_entry WHERE id {which}"))
        with seen_through(database, connection, journal.tenant_id) as session:
            assert queries.health(session).wrong_balances == 2
            assert [(link.sequence, link.kind) for link in queries.broken_chain(session)] == broken
