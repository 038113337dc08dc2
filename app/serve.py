"""`make run`: the database, the web workers and the scheduler, on one machine, with one Ctrl-C.

In production each of these is run by the machine's own service manager (docs: operations).
"""

from __future__ import annotations

import http.client
import os
import secrets
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import pydantic
import sqlalchemy as sa

from app.config import REPOSITORY, Settings
from app.db import embedded, migrate
from app.supervisor import Child

HOST = "127.0.0.1"
DATABASE = "wheelhouse"
READY_S_MAX = 60.0
POLL_S = 0.2


class ServeError(RuntimeError):
    """The service cannot be run here, or no longer; the message says what to do."""


class ToldToStopError(Exception):
    """The user wants it to end; raised only where everything that was started is known."""


@dataclass(frozen=True, slots=True)
class Commands:
    """What is run beside the supervisor itself."""

    web: Sequence[str]
    scheduler: Sequence[str]
    load_demo: Sequence[str]
    list_logins: Sequence[str]
    live: Sequence[str] | None = None


def commands(port: int, live_port: int) -> Commands:
    """The service's own commands; live updates have a port of their own."""
    cli = (sys.executable, "-m", "app.cli")
    web = (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "wsgi:application"),
        *("--host", HOST, "--port", str(port), "--http", "1", "--no-ws"),
        # Two processes use both cores of a small machine; four threads each hide the waits for the database.
        *("--workers", "2", "--blocking-threads", "4"),
        *("--respawn-failed-workers", "--workers-kill-timeout", "10"),
    )
    live = (
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "app.live:application"),
        *("--host", HOST, "--port", str(live_port), "--http", "1", "--no-ws", "--workers", "1"),
        # One request an onlooker; the process itself says when there are too many.
        *("--backpressure", "100000", "--respawn-failed-workers", "--workers-kill-timeout", "5"),
    )
    return Commands(
        web, (*cli, "scheduler"), (*cli, "demo", "load", "--if-empty"), (*cli, "demo", "logins"), live
    )


def run(
    port: int = 8000, *, demo: bool = True, var: Path = REPOSITORY / "var", programs: Commands | None = None
) -> int:
    """Serve until told to stop (Ctrl-C, SIGTERM, or the terminal is closed), and leave nothing behind.

    Args:
        port: on the loopback address.
        demo: load the demo world into an empty database, and print its logins.
        var: where the private database, the secret key and the logs are kept.
        programs: other commands than the service's own, for tests.

    Returns:
        The exit code: 0 when told to stop, 1 when the service could not start or lost its database.
    """
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Noted, not raised: an exception between two lines could lose a child that was just started.
        signal.signal(number, lambda *_: told.set())
    live_port = _free_port()
    programs = programs or commands(port, live_port)
    try:
        _require_free(port)
        with _environment(var, port, told) as (environment, cluster):
            if programs.live is not None:
                environment.setdefault("LIVE_URL", f"http://{HOST}:{live_port}")
            if demo:
                environment.setdefault("DEMO_LOGINS", "true")
                _run_to_its_end(
                    Child("Loading the demo world", programs.load_demo, environment, REPOSITORY), told
                )
            web = Child("The web server", programs.web, environment, REPOSITORY, var / "web.log")
            scheduler = Child(
                "The scheduler", programs.scheduler, environment, REPOSITORY, var / "scheduler.log"
            )
            children = [web, scheduler]
            if programs.live is not None:
                children.append(
                    Child("Live updates", programs.live, environment, REPOSITORY, var / "live.log")
                )
            with ExitStack() as stack:
                for child in children:
                    stack.enter_context(_started(child))
                _wait_until_ready(web, port, told)
                click.echo(f"\nWheelhouse is at http://{HOST}:{port} (Ctrl-C stops it; logs are in {var}).\n")
                if demo:
                    _run_to_its_end(
                        Child("Listing the logins", programs.list_logins, environment, REPOSITORY), told
                    )
                _watch(children, cluster, told)
    except ToldToStopError:
        pass
    except (ServeError, embedded.ClusterError) as error:
        # Ctrl-C reaches helpers such as initdb too; that they were interrupted is no news then.
        if not told.is_set():
            click.echo(f"Wheelhouse cannot run: {error}", err=True)
            return 1
    click.echo("Stopped.")
    return 0


@contextmanager
def _environment(
    var: Path, port: int, told: threading.Event
) -> Iterator[tuple[dict[str, str], embedded.Cluster | None]]:
    """The environment of every child: a migrated database, a lasting secret, shared metrics."""
    var.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ)
    environment.setdefault("SECRET_KEY", _secret_key(var / "secret_key"))
    environment.setdefault("PUBLIC_URL", f"http://{HOST}:{port}")
    environment["PROMETHEUS_MULTIPROC_DIR"] = str(_emptied(var / "metrics"))
    if environment.get("DATABASE_URL"):
        _migrate(environment, told)
        yield environment, None
        return
    click.echo("Starting a private PostgreSQL, since DATABASE_URL names none ...")
    binaries = environment.get("WHEELHOUSE_PG_BINARIES")
    with embedded.start(var / "postgres", binaries=Path(binaries) if binaries else None) as cluster:
        if not cluster.has_database(DATABASE):
            cluster.create_database(DATABASE)
        environment["DATABASE_URL"] = cluster.url(DATABASE)
        _migrate(environment, told)
        yield environment, cluster


def _migrate(environment: dict[str, str], told: threading.Event) -> None:
    _stop_if_told(told)
    click.echo("Bringing the database up to date ...")
    try:
        # Wrong settings are found here, before anything is started with them.
        settings = Settings(
            database_url=environment["DATABASE_URL"], secret_key=pydantic.SecretStr(environment["SECRET_KEY"])
        )
        migrate.upgrade(settings.database_url)
    except pydantic.ValidationError as error:
        raise ServeError(f"a setting in the environment is wrong:\n{error}") from error
    except sa.exc.OperationalError as error:
        raise ServeError(f"the database of DATABASE_URL does not answer: {error.orig}") from error


def _secret_key(path: Path) -> str:
    """The key of this installation; made once, readable by its owner only."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        fresh.replace(path)
    return path.read_text()


def _emptied(folder: Path) -> Path:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    return folder


def _require_free(port: int) -> None:
    """Found out first: everything else takes longer."""
    with socket.socket() as probe:
        # As the server itself does: a port whose last connections are only fading counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServeError(
                f"port {port} on {HOST} cannot be had ({error.strerror}); "
                "stop what uses it, or take another: make run PORT=8001"
            ) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def _started(child: Child) -> Iterator[None]:
    child.start()
    try:
        yield
    finally:
        child.stop()


def _run_to_its_end(child: Child, told: threading.Event) -> None:
    """Run a command that talks to the terminal itself."""
    _stop_if_told(told)
    with _started(child):
        while (code := child.exit_code()) is None:
            _stop_if_told(told)
            time.sleep(POLL_S / 4)
    if code != 0:
        raise ServeError(f"{child.name} failed with exit code {code}")


def _wait_until_ready(web: Child, port: int, told: threading.Event) -> None:
    deadline = time.monotonic() + READY_S_MAX
    while not _ready(port):
        _stop_if_told(told)
        if web.exit_code() is not None or time.monotonic() > deadline:
            raise ServeError(f"the web server did not become ready:\n{web.last_words()}")
        told.wait(POLL_S)


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):  # not listening yet
        return False
    finally:
        connection.close()


def _watch(children: Sequence[Child], cluster: embedded.Cluster | None, told: threading.Event) -> None:
    while not told.wait(POLL_S):
        for child in children:
            news = child.revive()
            if news is not None:
                click.echo(news, err=True)
        if cluster is not None and not cluster.is_running():
            raise ServeError(f"the private PostgreSQL ended unexpectedly; its log is in {cluster.home}")
    click.echo("Stopping ...")


def _stop_if_told(told: threading.Event) -> None:
    if told.is_set():
        raise ToldToStopError
