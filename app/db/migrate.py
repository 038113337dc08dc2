"""Alembic without an ini file: the schema's head, the database's revision, and the way up."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

_MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def config(url: str) -> Config:
    """Alembic's configuration for one database."""
    result = Config()
    result.set_main_option("script_location", str(_MIGRATIONS))
    result.attributes["url"] = url
    return result


def upgrade(url: str) -> None:
    """Bring a database to the head of the migrations; safe to call on one that is there already."""
    command.upgrade(config(url), "head")


def head() -> str:
    """The newest revision the code knows."""
    revision = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    assert revision is not None, "there is always a first migration"
    return revision


def current(connection: sa.Connection) -> str | None:
    """The revision a database is at; None when no migration has run."""
    return MigrationContext.configure(connection).get_current_revision()
