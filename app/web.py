"""What every door shares: the request's transaction, the clock, the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import flask
from sqlalchemy.orm import Session

from app.clock import Clock
from app.config import Settings
from app.db.session import Database
from app.security import current_actor

_KEY = "wheelhouse"


@dataclass(frozen=True, slots=True)
class Services:
    """What a request needs of the process it runs in."""

    settings: Settings
    database: Database
    clock: Clock


def install(app: flask.Flask, services: Services) -> None:
    """Hang the services on the application."""
    app.extensions[_KEY] = services


def services() -> Services:
    """The services of the current application."""
    found: Services = flask.current_app.extensions[_KEY]
    return found


def now() -> datetime:
    """The present moment by the application's clock."""
    return services().clock()


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """The request's transaction, seeing the asker's tenant only.

    Inside a view marked `@idempotent` this joins the transaction that also stores the answer, so that
    the effect and its stored answer are committed together or not at all.
    """
    joined: Session | None = flask.g.get("idempotent_session")
    if joined is not None:
        yield joined
        return
    with services().database.unit_of_work(current_actor().tenant_id) as session:
        yield session


@contextmanager
def public_unit_of_work() -> Iterator[Session]:
    """A transaction for a door without a login: sees every tenant, so the query must name its row."""
    with services().database.unit_of_work(None) as session:
        yield session
