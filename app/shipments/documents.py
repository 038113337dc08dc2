"""Reads the public documents of parcels: one prepared statement each, on connections kept for nothing else.

What makes it fast is what it leaves out: no transaction around the one statement, no statement planned anew,
no row made into objects. The connections are this module's own, so that neither a transaction nor a setting
of others stands in the way.
"""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Final

import flask
import psycopg
import sqlalchemy as sa
from psycopg import pq

from app.db import arrays
from app.i18n import LANGUAGES, Language
from app.shipments.document_sql import IN_OWN_MONTH, MANY, statement

_KEY = "wheelhouse.documents"
_WHAT: Final = "the document of a parcel"
SETTINGS: Final = {
    "application_name": "wheelhouse-documents",
    "timezone": "UTC",  # times are written as they are kept
    "default_transaction_read_only": "on",
    "statement_timeout": "5000",
    # One plan for all numbers, made once; and always along the indexes, also if it was made while the
    # tables were empty or nobody had counted their rows.
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""How its sessions are set."""

_LOST: Final = frozenset({"57P01", "57P02", "57P03", "26000"})  # ended by the server; unknown to a new one


_Key = tuple[str, bool, bool]
_VERSIONS: Final = ("", True, False)
_VERSIONS_SQL: Final = (
    "SELECT waybill_number, shipment.xmin || '/' || shipment_state.xmin, '' "
    "FROM shipment JOIN shipment_state ON shipment_id = id WHERE waybill_number = ANY ($1::text[])"
)


class _LostError(Exception):
    """The connection is of no use any more; another one may be."""


class Documents:
    """The reader of one process.

    Args:
        url: SQLAlchemy URL of the database.
        asked_by: as `statements` makes them.
    """

    def __init__(self, url: str, asked_by: dict[_Key, str]) -> None:
        self._conninfo = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._statements = asked_by
        self._idle: deque[_Connection] = deque()
        self._process = os.getpid()

    def one(self, number: str, *, language: Language, now: datetime, places: bool = False) -> bytes | None:
        """The document of a parcel as JSON; None where nobody booked the number.

        Args:
            number: a waybill number as it is stored.
            language: of the sentence.
            now: the present moment.
            places: whether places are named.

        Raises:
            sqlalchemy.exc.OperationalError: the database does not answer.
        """
        key = (language.code, False, places)
        asked, moment = number.encode(), now.isoformat().encode()
        months = _this_and_last(now.year, now.month)
        rows = self._ask(key, [asked, moment, *months])
        if not rows:
            return None
        _number, booked, document = rows[0]
        if booked not in months:
            # Booked longer ago: its scans lie in another partition.
            rows = self._ask(key, [asked, moment, booked, booked])
            _number, _month, document = rows[0]
        return document

    def many(self, numbers: Collection[str], *, language: Language, now: datetime) -> dict[str, bytes]:
        """The documents of those parcels of some that somebody booked, in the order asked, by number.

        Raises:
            sqlalchemy.exc.OperationalError: the database does not answer.
        """
        values = [arrays.texts(list(numbers)).encode(), now.isoformat().encode()]
        rows = self._ask((language.code, True, False), values)
        return {number.decode(): document for number, _month, document in rows}

    def versions(self, numbers: Collection[str]) -> dict[str, bytes]:
        """A mark for each number that somebody booked; another one once its shipment has been written to.

        Raises:
            sqlalchemy.exc.OperationalError: the database does not answer.
        """
        rows = self._ask(_VERSIONS, [arrays.texts(list(numbers)).encode()])
        return {number.decode(): version for number, version, _ in rows}

    def close(self) -> None:
        """End every idle connection."""
        with suppress(IndexError):  # emptied, by this thread or another
            while True:
                self._idle.pop().close()

    def _ask(self, key: _Key, values: list[bytes]) -> list[tuple[bytes, bytes, bytes]]:
        if self._process != os.getpid():
            # A fork: these sockets are the parent's. psycopg leaves them alone in any process but their own.
            self._process, self._idle = os.getpid(), deque()
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._on_new(key, values)
        try:
            rows = connection.ask(key, self._statements[key], values)
        except _LostError:
            # It may have been lost long before; what is only read can be asked again.
            connection.close()
            self.close()
            return self._on_new(key, values)
        except sa.exc.DBAPIError:
            connection.close()
            raise
        self._idle.append(connection)
        return rows

    def _on_new(self, key: _Key, values: list[bytes]) -> list[tuple[bytes, bytes, bytes]]:
        try:
            connection = _Connection(self._conninfo)
        except psycopg.OperationalError as error:
            raise sa.exc.OperationalError(_WHAT, None, error) from error
        try:
            rows = connection.ask(key, self._statements[key], values)
        except _LostError as error:
            connection.close()
            raise sa.exc.OperationalError(_WHAT, None, error) from error
        except sa.exc.DBAPIError:
            connection.close()
            raise
        self._idle.append(connection)
        return rows


class _Connection:
    """A connection, and which statements it has prepared."""

    def __init__(self, conninfo: str) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        given = psycopg.conninfo.conninfo_to_dict(conninfo).get("options")
        self._connection = psycopg.connect(
            conninfo, autocommit=True, options=f"{given} {options}" if given else options, connect_timeout=5
        )
        self._wire = self._connection.pgconn
        self._prepared: dict[_Key, bytes] = {}

    def ask(self, key: _Key, sql: str, values: list[bytes]) -> list[tuple[bytes, bytes, bytes]]:
        """The rows of a statement.

        Raises:
            _LostError: the connection is gone.
            sqlalchemy.exc.OperationalError: it took too long.
            sqlalchemy.exc.DataError: a value cannot be.
        """
        try:
            name = self._prepared.get(key)
            if name is None:
                name = f"document_{len(self._prepared)}".encode()
                self._check(self._wire.prepare(name, sql.encode()), pq.ExecStatus.COMMAND_OK)
                self._prepared[key] = name
            result = self._wire.exec_prepared(name, values)
        except psycopg.OperationalError as error:
            raise _LostError from error
        self._check(result, pq.ExecStatus.TUPLES_OK)
        return [
            tuple(result.get_value(row, column) or b"" for column in range(3))  # type: ignore[misc]
            for row in range(result.ntuples)
        ]

    def close(self) -> None:
        """End it."""
        self._connection.close()

    def _check(self, result: pq.abc.PGresult, wanted: pq.ExecStatus) -> None:
        if result.status == wanted:
            return
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        if state in _LOST or self._wire.status != pq.ConnStatus.OK:
            raise _LostError(result.error_message.decode(errors="replace"))
        error = psycopg.errors.lookup(state)(result.error_message.decode(errors="replace"))
        kind = (
            sa.exc.OperationalError if isinstance(error, psycopg.OperationalError) else sa.exc.DatabaseError
        )
        raise kind(_WHAT, None, error)


def statements() -> dict[_Key, str]:
    """What a reader asks by, in every language; needs an application's context, as every translation does."""
    made = {
        (language.code, several, places): statement(language, which=MANY, months=IN_OWN_MONTH)
        if several
        else statement(language, places=places)
        for language in LANGUAGES.values()
        for several, places in ((False, False), (False, True), (True, False))
    }
    return {**made, _VERSIONS: _VERSIONS_SQL}


def install(app: flask.Flask, url: str) -> None:
    """Make the reader of an application."""
    with app.app_context():
        app.extensions[_KEY] = Documents(url, statements())


def documents(app: flask.Flask | None = None) -> Documents:
    """The reader of an application, of the current one where none is named."""
    found: Documents = (app or flask.current_app).extensions[_KEY]
    return found


@functools.lru_cache
def _this_and_last(year: int, month: int) -> tuple[bytes, bytes]:
    """A month and the one before it, each as its first day."""
    first = date(year, month, 1)
    return first.isoformat().encode(), (first - timedelta(days=1)).replace(day=1).isoformat().encode()
