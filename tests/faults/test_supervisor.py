"""`make run` under bad luck: a taken port, dying children, kill -9, Ctrl-C at the wrong moment."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from app.db import embedded
from app.supervisor import Child

T = TypeVar("T")
REPOSITORY = Path(__file__).resolve().parents[2]

# Stands for the web workers: answers /readyz, tells what it was given, and has a worker process of its own.
WEB = """
import http.server, json, os, subprocess, sys
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        names = ("DATABASE_URL", "SECRET_KEY", "PUBLIC_URL")
        self.wfile.write(json.dumps({"pid": os.getpid(), "worker": worker.pid} |
                                    {name: os.environ[name] for name in names}).encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
SLEEP = "import os, sys, time; print('pid', os.getpid(), flush=True); time.sleep(600)"
RUN = """
import json, pathlib, sys
from app import serve
port, var, programs = json.loads(sys.argv[1])
sys.exit(serve.run(port, var=pathlib.Path(var), programs=serve.Commands(*programs)))
"""


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        return False


def eventually(question: Callable[[], T], seconds: float = 30.0) -> T:
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return answer


@dataclass
class Service:
    """A supervisor with stand-ins for what it runs."""

    var: Path
    port: int
    web: list[str]
    scheduler: list[str] = field(default_factory=lambda: python(SLEEP))
    load_demo: list[str] = field(default_factory=lambda: python("print('demo world loaded')"))
    list_logins: list[str] = field(
        default_factory=lambda: python("print('dispatcher demo-dispatcher secret')")
    )
    process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        programs = [self.web, self.scheduler, self.load_demo, self.list_logins]
        environment = {
            name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "SECRET_KEY")
        }
        self.process = subprocess.Popen(
            python(RUN, json.dumps([self.port, str(self.var), programs])),
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        return self.process

    def told(self) -> dict[str, str | int]:
        """What the web stand-in says about itself; empty while nothing answers."""
        with (
            suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer,
        ):
            return dict(json.load(answer))
        return {}

    def scheduler_pids(self) -> list[int]:
        log = self.var / "scheduler.log"
        return [int(line.split()[1]) for line in log.read_text().splitlines()] if log.exists() else []

    def postmaster(self) -> int:
        return int((self.var / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])

    def wait_until_up(self) -> dict[str, str | int]:
        assert self.process is not None
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "dispatcher" in line:
                return self.told()
        raise AssertionError("it ended before it was up:\n" + "".join(said))


@pytest.fixture
def service() -> Iterator[Service]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        made = Service(Path(folder) / "var", port, python(WEB, str(port)))
        yield made
        if made.process is not None and made.process.poll() is None:
            made.process.kill()
            made.process.wait()
        if (made.var / "postgres").exists():
            eventually(lambda: embedded.discard(made.var / "postgres"))


def test_serves_and_ctrl_c_leaves_nothing_behind(service: Service) -> None:
    process = service.start()
    told = service.wait_until_up()
    everything = [int(told["pid"]), int(told["worker"]), *service.scheduler_pids(), service.postmaster()]
    assert len(everything) == 4
    assert all(alive(pid) for pid in everything)
    assert str(told["DATABASE_URL"]).startswith("postgresql+psycopg://")
    assert told["PUBLIC_URL"] == f"http://127.0.0.1:{service.port}"

    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "Stopped." in output
    assert not [pid for pid in everything if alive(pid)]


def test_the_secret_and_the_data_outlive_a_restart(service: Service) -> None:
    secrets = []
    for _ in range(2):
        process = service.start()
        secrets.append(service.wait_until_up()["SECRET_KEY"])
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert secrets[0] == secrets[1]
    assert len(str(secrets[0])) >= 32
    assert (service.var / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_said_before_anything_is_started(service: Service) -> None:
    with socket.create_server(("127.0.0.1", service.port)):
        process = service.start()
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"port {service.port}" in output
    assert "make run PORT=" in output
    assert "Traceback" not in output
    assert not service.var.exists()


def test_dead_children_are_started_again(service: Service) -> None:
    service.start()
    told = service.wait_until_up()
    os.kill(int(told["pid"]), signal.SIGKILL)
    os.kill(service.scheduler_pids()[0], signal.SIGKILL)
    again = eventually(lambda: service.told() if service.told().get("pid") != told["pid"] else {})
    assert again["DATABASE_URL"] == told["DATABASE_URL"]
    assert not alive(int(told["worker"])), "a worker of the killed server still holds its port"
    eventually(lambda: len(service.scheduler_pids()) == 2)


def test_a_killed_supervisor_takes_its_children_along(service: Service) -> None:
    process = service.start()
    told = service.wait_until_up()
    first_database = service.postmaster()
    process.kill()
    process.wait()
    eventually(lambda: not alive(int(told["pid"])))
    eventually(lambda: not alive(service.scheduler_pids()[0]))
    # The database is taken over by the next run, which stops it at its end.
    process = service.start()
    service.wait_until_up()
    assert service.postmaster() == first_database
    process.terminate()
    process.communicate(timeout=60)
    assert not alive(first_database)


def test_a_lost_database_ends_the_service(service: Service) -> None:
    process = service.start()
    told = service.wait_until_up()
    os.kill(service.postmaster(), signal.SIGKILL)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "PostgreSQL ended unexpectedly" in output
    assert not alive(int(told["pid"]))


def test_ctrl_c_while_the_demo_world_is_loaded(service: Service) -> None:
    marker = service.var / "loading"
    service.load_demo = python(f"import pathlib; pathlib.Path({str(marker)!r}).touch(); {SLEEP}")
    process = service.start()
    eventually(marker.exists)
    first_database = service.postmaster()
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert not alive(first_database)


def test_a_demo_world_that_fails_ends_the_start(service: Service) -> None:
    service.load_demo = python("import sys; sys.exit(3)")
    process = service.start()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Loading the demo world failed with exit code 3" in output


def test_a_web_server_that_cannot_start_shows_its_last_words(service: Service) -> None:
    service.web = python("raise SystemExit('no such module: wsgi')")
    process = service.start()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no such module: wsgi" in output
    assert not any(alive(pid) for pid in service.scheduler_pids())


def test_a_wrong_setting_is_named(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    process = service.start()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "log_level" in output
    assert "Traceback" not in output


def test_the_wait_before_a_restart_doubles(tmp_path: Path) -> None:
    child = Child("The clock", python("raise SystemExit('broken')"), os.environ, tmp_path, tmp_path / "log")
    child.start()
    news: list[str] = []
    while len(news) < 3:
        if said := child.revive():
            news.append(said)
        time.sleep(0.05)
    child.stop()
    assert "ended with 1; starting it again in 1 s" in news[0]
    assert "broken" in news[0]
    assert "started again" in news[1]
    assert "starting it again in 2 s" in news[2]


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.supervisor.STOP_S_MAX", 0.2)
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
    child = Child("The deaf one", python(deaf), os.environ, tmp_path, tmp_path / "log")
    child.start()
    eventually(lambda: (tmp_path / "log").read_text())
    child.stop()
    assert child.exit_code() == -signal.SIGKILL
