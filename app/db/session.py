"""The one door to the database: an engine, and `unit_of_work`, the only place that commits.

A session opened for a tenant sees that tenant's rows and no others: every ORM statement gets the
tenant's criterion added, and a row of another tenant cannot be flushed. A session opened without a
tenant (relay, scheduler, login, public tracking) sees all and has to be asked for by that name.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, sessionmaker, with_loader_criteria
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from app.db import ending
from app.db.base import TenantScoped

_json_encoder = msgspec.json.Encoder()


class CrossTenantWriteError(AssertionError):
    """A session of one tenant was asked to write a row of another: a bug, never an operating error."""


class Database:
    """An engine with its session factory.

    Args:
        url: SQLAlchemy URL of a PostgreSQL 15+ database.
        pool_size: Connections kept per process.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = url
        self.engine = sa.create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            json_serializer=lambda value: _json_encoder.encode(value).decode(),
            json_deserializer=msgspec.json.decode,
        )
        event.listen(self.engine, "checkin", _note_use)
        event.listen(self.engine, "checkout", functools.partial(_ping_if_rested, self.engine))
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def unit_of_work(self, tenant_id: int | None) -> Iterator[Session]:
        """Open a session, commit it at the end, roll it back on any exception.

        What was put off until the end (`app.db.ending`) is done by the commit.

        Args:
            tenant_id: The tenant whose rows may be seen and written; None sees every tenant.
        """
        with self._sessions(info={"tenant_id": tenant_id}) as session:
            yield session
            session.commit()

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_USED] = time.monotonic()


def _ping_if_rested(
    engine: sa.Engine, connection: Any, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """Find out whether a connection that lay idle still leads anywhere; one in use a moment ago does.

    The pool's own way asks at every checkout, which costs a busy service two questions a request.
    """
    used = record.info.get(_USED)
    if used is None or time.monotonic() - used < _RESTED_S:
        return
    try:
        engine.dialect.do_ping(connection)
    except psycopg.OperationalError as error:
        raise sa.exc.InvalidatePoolError from error  # the others are gone with it; the pool connects anew


_USED = "used"
_RESTED_S = 1.0


def tenant_of(session: Session) -> int:
    """The tenant a session was opened for.

    Raises:
        CrossTenantWriteError: The session was opened for no tenant in particular.
    """
    tenant_id: int | None = session.info.get("tenant_id")
    if tenant_id is None:
        raise CrossTenantWriteError("this work needs a session that was opened for one tenant")
    return tenant_id


def execute_plain(
    session: Session, statement: str, parameters: Sequence[Any] | Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """Run a statement on the session's connection without the ORM between; gives all rows it answers.

    For statements over thousands of rows, where the ORM would cost more than the database. The tenant's
    criterion is not added here: the statement says it, or names rows that were looked up with it.
    """
    session.flush()  # the session would have done so by itself before a statement of its own
    ending.refuse_locks(session, statement)
    cursor = session.connection().connection.cursor()
    try:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description is not None else []
    finally:
        cursor.close()


def copy_if_new(session: Session, statement: str, text: str) -> bool:
    """Run `COPY ... FROM STDIN` with rows in the text format; False when one of them is there already.

    Then nothing of the copy stays, and the transaction goes on. The savepoint is the connection's own, since
    one of the session's costs as much as the copy of a hundred rows.
    """
    session.flush()  # as a statement of its own would
    cursor = session.connection().connection.cursor()
    try:
        cursor.execute("SAVEPOINT copied")
        try:
            with cursor.copy(statement) as copy:
                copy.write(text)
        except psycopg.errors.UniqueViolation:
            cursor.execute("ROLLBACK TO SAVEPOINT copied")
            return False
        cursor.execute("RELEASE SAVEPOINT copied")
        return True
    finally:
        cursor.close()


@event.listens_for(Session, "do_orm_execute")
def _only_the_tenants_rows(state: ORMExecuteState) -> None:
    tenant_id = state.session.info.get("tenant_id")
    if tenant_id is None or state.is_column_load or state.is_relationship_load:
        return
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(_rows_of(tenant_id))


@functools.lru_cache(maxsize=1024)
def _rows_of(tenant_id: int) -> LoaderCriteriaOption:
    """The criterion of one tenant; kept, because to make one costs as much as a small query."""
    return with_loader_criteria(
        TenantScoped,
        lambda cls: cls.tenant_id == tenant_id,
        include_aliases=True,
        propagate_to_loaders=True,
    )


@event.listens_for(Session, "before_flush")
def _write_only_the_tenants_rows(session: Session, _context: Any, _instances: Any) -> None:
    tenant_id = session.info.get("tenant_id")
    if tenant_id is None:
        return
    for row in session.new | session.dirty:
        if not isinstance(row, TenantScoped):
            continue
        given: int | None = row.tenant_id  # None until the first flush, whatever the annotation says
        if given is None:
            row.tenant_id = tenant_id
        elif given != tenant_id:
            raise CrossTenantWriteError(
                f"{type(row).__name__} of tenant {row.tenant_id} in a session of tenant {tenant_id}"
            )
