"""One private PostgreSQL server: its data directory, processes and socket. `embedded` says who uses it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from app.db import embedded_binaries, embedded_privileges
from app.db.embedded_binaries import Binaries, ClusterError
from app.db.embedded_privileges import Identity

ROLE = "wheelhouse"
PID_FILE = "postmaster.pid"
SOCKET_LINE = 4  # the line of the process file, from 0, that names the socket's directory
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX = 107  # sun_path holds 108 bytes with its closing zero
LOG_BYTES_MAX = 10_000_000
START_S_MAX = 60.0
STOP_S_MAX = 60.0
# Sorted by code point, so the same on every machine, and yet lower() knows every letter.
LOCALE = "C.UTF-8"

SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Compiling a plan costs more than it saves with this service's short statements.
    "jit": "off",
}
# For data that nobody will miss after a power failure.
UNSAFE_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where a server listens, and its process if that is a child of this one."""

    socket_dir: Path
    process: subprocess.Popen[bytes] | None


def ensure_running(home: Path, folder: Path | None, *, durable: bool) -> RunningServer:
    """Find the server running, or start it."""
    data_dir = home / "data"
    if running_pid(data_dir) is not None:
        socket_dir = Path(_pid_file(data_dir)[SOCKET_LINE])
        _wait_until_ready(home, socket_dir)
        return RunningServer(socket_dir, None)
    major = int((data_dir / "PG_VERSION").read_text()) if data_dir.exists() else None
    programs = embedded_binaries.choose(folder, major)
    identity = embedded_privileges.choose(programs, data_dir)
    if major is None:
        _initialise(data_dir, programs, identity)
    _clear_remains(data_dir)
    socket_dir = _make_socket_dir(data_dir, identity)
    process = _launch(home, programs, identity, socket_dir, durable=durable)
    try:
        _wait_until_ready(home, socket_dir, process)
    except BaseException:
        # Also on Ctrl-C: nobody holds the server yet, so nobody else would stop it.
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    return RunningServer(socket_dir, process)


def _initialise(data_dir: Path, programs: Binaries, identity: Identity) -> None:
    # Made under another name, so that a folder called "data" is always complete.
    unfinished = data_dir.with_name("data.unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    if identity.owner != unfinished.stat().st_uid:
        os.chown(unfinished, identity.owner, identity.owner)
    command = [*identity.prefix, programs.program("initdb"), f"--pgdata={unfinished}", f"--username={ROLE}"]
    # Trust whoever reaches the socket: its directory lets nobody but its owner in.
    command += ["--auth=trust", "--encoding=UTF8", f"--locale={LOCALE}", "--no-instructions"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        shutil.rmtree(unfinished)
        raise ClusterError(f"PostgreSQL could not make its data folder {data_dir}:\n{made.stderr.strip()}")
    unfinished.rename(data_dir)


def _launch(
    home: Path, programs: Binaries, identity: Identity, socket_dir: Path, *, durable: bool
) -> subprocess.Popen[bytes]:
    settings = SETTINGS | {"unix_socket_directories": str(socket_dir)} | ({} if durable else UNSAFE_SETTINGS)
    command = [*identity.prefix, programs.program("postgres"), "-D", str(home / "data")]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    log = home / "server.log"
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(home / "server.log.old")
    with log.open("ab") as output:
        # A session of its own: the terminal's Ctrl-C must not reach the server before its users are done.
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )


def _make_socket_dir(data_dir: Path, identity: Identity) -> Path:
    """The data directory itself; where its path is too long for a socket, a private one with a short path."""
    if len(os.fsencode(data_dir / SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX:
        return data_dir
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - the directory made in it is private
        folder = Path(tempfile.mkdtemp(prefix="wheelhouse-", dir=parent))
        if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX:
            if identity.owner != folder.stat().st_uid:
                os.chown(folder, identity.owner, identity.owner)
            return folder
        folder.rmdir()
    raise ClusterError(f"no folder has a path short enough for a socket: {data_dir} and /tmp were tried")


def _wait_until_ready(home: Path, socket_dir: Path, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until the server answers; it may be recovering from a crash.

    Raises:
        ClusterError: it ended, or took too long; with the end of its log.
    """
    deadline = time.monotonic() + START_S_MAX
    while True:
        try:
            connect(socket_dir).close()
        except psycopg.OperationalError as error:
            reason = str(error)
        else:
            return
        ended = process.poll() is not None if process is not None else running_pid(home / "data") is None
        if ended or time.monotonic() > deadline:
            log = (home / "server.log").read_text(errors="replace").splitlines()[-10:]
            raise ClusterError("\n".join((f"PostgreSQL in {home} did not start: {reason}", *log)))
        time.sleep(0.05)


def connect(socket_dir: Path) -> psycopg.Connection:
    return psycopg.connect(
        host=str(socket_dir), user=ROLE, dbname="postgres", autocommit=True, connect_timeout=10
    )


def shut_down(home: Path) -> None:
    """Fast shutdown: sessions are ended, everything is written; an immediate one if that hangs."""
    data_dir = home / "data"
    pid = running_pid(data_dir)
    if pid is None:
        return
    socket_dir = Path(_pid_file(data_dir)[SOCKET_LINE])
    for demand in (signal.SIGINT, signal.SIGQUIT):
        os.kill(pid, demand)
        if _wait_until_gone(data_dir, STOP_S_MAX / 2):
            break
    else:
        raise ClusterError(f"PostgreSQL, process {pid} in {home}, does not stop")
    _remove_socket_dir(data_dir, socket_dir)


def _wait_until_gone(data_dir: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while running_pid(data_dir) is not None or _processes(data_dir):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _clear_remains(data_dir: Path) -> None:
    """Tidy up after a server that was killed: its last processes, its socket's directory, its process file.

    PostgreSQL would refuse to start where the number in the process file belongs to some other process by
    now, which is usual after a container's restart.
    """
    if not _wait_until_gone(data_dir, STOP_S_MAX):
        raise ClusterError(
            f"processes of a killed PostgreSQL still work in {data_dir}: {_processes(data_dir)}"
        )
    lines = _pid_file(data_dir)
    if len(lines) > SOCKET_LINE:
        _remove_socket_dir(data_dir, Path(lines[SOCKET_LINE]))
    (data_dir / PID_FILE).unlink(missing_ok=True)


def _remove_socket_dir(data_dir: Path, socket_dir: Path) -> None:
    if socket_dir != data_dir and socket_dir.exists():
        for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
            (socket_dir / name).unlink(missing_ok=True)
        socket_dir.rmdir()


def running_pid(data_dir: Path) -> int | None:
    """The server's main process, if its process file names one that is alive and really is this server's."""
    lines = _pid_file(data_dir)
    if len(lines) <= SOCKET_LINE:
        return None
    try:
        # The main process keeps the arguments it was started with, and everybody may read them.
        arguments = Path("/proc", lines[0], "cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(lines[0]) if os.fsencode(data_dir) in arguments else None


def _pid_file(data_dir: Path) -> Sequence[str]:
    """Lines of the process file: process, data directory, start time, port, socket directory and more."""
    try:
        return (data_dir / PID_FILE).read_text().splitlines()
    except FileNotFoundError:
        return ()


def _processes(data_dir: Path) -> list[int]:
    """Every process that works in the data directory: a server's do, and others have no reason to."""
    real = str(data_dir.resolve())
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if os.readlink(f"/proc/{entry.name}/cwd") == real:
                    found.append(int(entry.name))
            except OSError:  # it has ended, or is another user's
                continue
    return found
