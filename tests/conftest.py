"""What every test may ask for: a real PostgreSQL.

One private cluster serves a whole run, also under pytest-xdist: the first test that asks starts it, the last
worker out removes it, and the engines' tests never start one. A template database is migrated to the newest
version once a run; `database_url` is a clone of it for one test module.

Isolation: the tests of a module share the module's database, and so make their own tenants and rows. A test
that must begin with an empty one asks for `empty_database_url`, a clone of its own (a tenth of a second).
Nothing is truncated between tests: the append-only tables refuse that, as they must.

Fixtures of the web application (`app`, `client`, `login`) are in tests/support/.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# What the fixtures need is imported in them: the engines' tests are to run without the service's libraries.
if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.orm import Session

    from app.db import embedded
    from app.db.session import Database

TEMPLATE = "template"
# The same in all workers of one run, and a secret of it, so that nobody else can take the folder's name.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)


@pytest.fixture(scope="session")
def cluster() -> Iterator[embedded.Cluster]:
    """A private PostgreSQL with a migrated template database; faster and less careful than the product's."""
    from app.db import embedded

    parent, prefix = Path(tempfile.gettempdir()), f"wheelhouse-tests-{os.getuid()}-"
    for left_behind in parent.glob(f"{prefix}*"):
        # Left by a run that was killed; the cluster of a living run is in use and stays, and what another
        # run is deleting just now is left to it.
        with suppress(FileNotFoundError):
            if ".discarded-" not in left_behind.name and left_behind.stat().st_uid == os.getuid():
                embedded.discard(left_behind)
    home = parent / f"{prefix}{RUN}"
    binaries = os.environ.get("WHEELHOUSE_PG_BINARIES")
    try:
        with embedded.start(home, binaries=Path(binaries) if binaries else None, durable=False) as running:
            _make_template(running)
            yield running
    finally:
        embedded.discard(home)


def _make_template(cluster: embedded.Cluster) -> None:
    """By the first worker; the others wait for it."""
    from app.db import migrate

    with (cluster.home / "template.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not cluster.has_database(TEMPLATE):
            cluster.drop_database("unfinished")
            cluster.create_database("unfinished")
            migrate.upgrade(cluster.url("unfinished"))
            cluster.rename_database("unfinished", TEMPLATE)


@contextmanager
def cloned(cluster: embedded.Cluster) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    cluster.create_database(name, template=TEMPLATE)
    try:
        yield cluster.url(name)
    finally:
        cluster.drop_database(name)


@pytest.fixture(scope="module")
def database_url(cluster: embedded.Cluster) -> Iterator[str]:
    """An empty, migrated database, shared by the tests of this module."""
    with cloned(cluster) as url:
        yield url


@pytest.fixture
def empty_database_url(cluster: embedded.Cluster) -> Iterator[str]:
    """An empty, migrated database for this one test."""
    with cloned(cluster) as url:
        yield url


@pytest.fixture(scope="module")
def database(database_url: str) -> Iterator[Database]:
    """The service's own door to the module's database: `with database.unit_of_work(tenant_id) as session`."""
    from app.db.session import Database

    door = Database(database_url)
    yield door
    door.dispose()


@pytest.fixture(scope="module")
def engine(database: Database) -> sa.Engine:
    return database.engine


@pytest.fixture(scope="module")
def session_factory(engine: sa.Engine) -> Callable[..., Session]:
    """Sessions that commit only when told to; for what a test wants to see, or to fail, before a commit."""
    from sqlalchemy.orm import sessionmaker

    return sessionmaker(engine, expire_on_commit=False)
