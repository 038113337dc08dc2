"""The Makefile documents itself, and so does what stands in front of it."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z][a-z-]*):", MAKEFILE, flags=re.MULTILINE)

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def recipe(target: str) -> list[str]:
    lines = MAKEFILE.split(f"\n{target}:", 1)[1].splitlines()[1:]
    end = next((number for number, line in enumerate(lines) if not line.startswith("\t")), len(lines))
    return lines[:end]


def test_the_promised_targets_are_there() -> None:
    assert {"help", "setup", "setup-dev", "run", "test", "check", "bench", "fmt", "lock", "clean"} <= set(
        TARGETS
    )


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_is_documented_and_says_what_it_does(target: str) -> None:
    assert re.search(rf"^{target}:.* ## \S", MAKEFILE, flags=re.MULTILINE), "no description"
    assert f".PHONY: {target}\n" in MAKEFILE
    assert re.match(r"\t(\$\(SAY\) '|@echo ')", recipe(target)[0]), "its first line says nothing"


@needs_make
def test_make_alone_lists_every_target() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert re.findall(r"^  ([a-z-]+)  +\S", listed.stdout, flags=re.MULTILINE) == TARGETS


@needs_make
def test_a_port_can_be_chosen() -> None:
    command = ["make", "--dry-run", "run", "PORT=8123"]
    dry = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "app.cli serve --port 8123" in dry.stdout


def pythons(folder: Path, versions: dict[str, str]) -> dict[str, str]:
    """A PATH on which stand-ins for Python claim a version, or fail as an empty shim does."""
    for name, version in versions.items():
        program = folder / name
        new_enough = version and tuple(map(int, version.split("."))) >= (3, 11)
        answers = f'case "$2" in *print*) echo {version};; *exit*) exit {0 if new_enough else 1};; esac'
        program.write_text(f"#!/bin/sh\n{answers if version else 'exit 127'}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {**os.environ, "PATH": str(folder)}


def test_the_first_python_that_fits_is_found(tmp_path: Path) -> None:
    environment = pythons(tmp_path, {"python3.13": "", "python3.12": "3.12", "python3": "3.9"})
    found = subprocess.run(
        ["/bin/sh", "scripts/find_python"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == str(tmp_path / "python3.12")


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    environment = pythons(tmp_path, {"python3": "3.9"})
    found = subprocess.run(
        ["/bin/sh", "scripts/find_python"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert found.stderr.strip() == "Wheelhouse needs Python 3.11 or newer, python3 is 3.9."
