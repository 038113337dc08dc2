"""The process of live updates for a test: started as in production, and gone at the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.config import REPOSITORY

SECRET_KEY = "a key of the tests that is long enough"

Start = Callable[..., tuple[int, subprocess.Popen[bytes]]]
"""Starts one, on a port of its own unless one is named; gives the port and the process."""


@contextmanager
def live_processes(database_url: str, *, clients_max: int) -> Iterator[Start]:
    """Starts processes of live updates; ends at the end what is still there."""
    started: list[subprocess.Popen[bytes]] = []

    def start(port: int | None = None) -> tuple[int, subprocess.Popen[bytes]]:
        port = port or free_port()
        environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "SECRET_KEY": SECRET_KEY,
            "LIVE_CLIENTS_MAX": str(clients_max),
            "LOG_LEVEL": "WARNING",
        }
        server = (sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--workers", "1")
        server += ("--host", "127.0.0.1", "--port", str(port), "--workers-kill-timeout", "10", "--http", "1")
        process = subprocess.Popen(
            (*server, "app.live:application"), cwd=REPOSITORY, env=environment, process_group=0
        )
        started.append(process)
        _wait_until_it_listens(port)
        return port, process

    try:
        yield start
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


def free_port() -> int:
    """A port of the loopback address that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("it did not come up")
