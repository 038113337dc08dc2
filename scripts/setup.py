# ruff: noqa: T201 - a command line tells its user what it does
"""Prepares a fresh clone: `make setup`, or `python3 scripts/setup.py [--dev]`.

A virtual environment in .venv with the locked packages, the built front end, the compiled translations. A
step is skipped when its inputs are what they were when it last succeeded (by content, not by date). Standard
library only: nothing else is there yet.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "setup-stamps"
VERSION_MIN = (3, 11)


class SetupError(Exception):
    """Set-up cannot go on; the message says what to do."""


@dataclass(frozen=True)
class Step:
    """A command of the environment's Python, with the files it reads and the files it leaves.

    Attributes:
        name: names its stamp.
        title: what it does, for people.
        command: arguments to Python.
        inputs: files, and folders with all that is in them.
        outputs: a pattern; where nothing matches it, the step is not done.
    """

    name: str
    title: str
    command: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: str

    def is_done(self) -> bool:
        stamp = STAMPS / self.name
        return stamp.exists() and stamp.read_text() == self._fingerprint() and any(ROOT.glob(self.outputs))

    def run(self) -> None:
        print(f"{self.title} ...", flush=True)
        began = time.monotonic()
        _run([str(VENV_PYTHON), *self.command])
        STAMPS.mkdir(exist_ok=True)
        (STAMPS / self.name).write_text(self._fingerprint())
        print(f"  done in {time.monotonic() - began:.0f} s", flush=True)

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for path in self._files():
            digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def _files(self) -> Iterator[Path]:
        for name in self.inputs:
            path = ROOT / name
            if path.is_dir():
                yield from sorted(
                    found for found in path.rglob("*") if found.is_file() and found.suffix != ".mo"
                )
            elif path.exists():
                yield path


def packages(requirements: str) -> Step:
    """The step that installs a lock file."""
    count = sum("==" in line for line in (ROOT / requirements).read_text(encoding="utf-8").splitlines())
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r")
    title = f"Installing the {count} packages of {requirements}"
    return Step(requirements, title, (*pip, requirements), (requirements,), ".venv/bin/python")


FRONT_END = Step(
    "front-end",
    "Building the front end",
    ("scripts/setup_frontend.py",),
    (
        "package.json",
        "package-lock.json",
        ".npmrc",
        "requirements-node.txt",
        "scripts/setup_frontend.py",
        "app/static_src",
    ),
    "app/static/build/*",
)
TRANSLATIONS = Step(
    "translations",
    "Compiling the translations",
    ("-m", "app.i18n", "compile"),
    ("app/i18n", "app/translations"),
    "app/translations/**/*.mo",
)


def set_up(*, developing: bool) -> None:
    """Do what is not done yet."""
    _make_environment()
    service, developers = packages("requirements.txt"), packages("requirements-dev.txt")
    # The developers' file holds the service's packages in the same versions, and more.
    if developing:
        installing = [] if developers.is_done() else [developers]
    else:
        installing = [] if service.is_done() or developers.is_done() else [service]
    for step in (*installing, *(step for step in (FRONT_END, TRANSLATIONS) if not step.is_done())):
        step.run()


def _make_environment() -> None:
    """Make .venv; anew where it does not run (its Python was removed) or is too old."""
    probe = f"import sys, pip; sys.exit(sys.version_info < {VERSION_MIN})"
    if VENV_PYTHON.exists() and subprocess.run([str(VENV_PYTHON), "-c", probe], check=False).returncode == 0:
        return
    if VENV.exists():
        shutil.rmtree(VENV)
    print(f"Making the virtual environment .venv with {sys.executable} ...", flush=True)
    _run([sys.executable, "-m", "venv", str(VENV)])


def _run(command: list[str]) -> None:
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code != 0:
        raise SetupError(f"`{' '.join(command)}` ended with {code}; see above")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Prepare this clone to be run.")
    parser.add_argument("--dev", action="store_true", help="with the tools that check and test it")
    try:
        set_up(developing=parser.parse_args().dev)
    except SetupError as error:
        sys.exit(f"Set-up failed: {error}")
    except KeyboardInterrupt:
        sys.exit("Set-up was interrupted; run it again to go on.")


if __name__ == "__main__":
    main()
