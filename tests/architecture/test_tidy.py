"""The rules of the house that a linter does not know."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "routing", "settlement", "tracking")
ENGINES = PACKAGES[1:]
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
# Built, installed or made at run time; git ignores them.
NOT_OURS = {".git", ".venv", "var", "node_modules", "site", "build", "__pycache__"} | {
    f".{tool}_cache" for tool in ("mypy", "ruff", "pytest", "import_linter")
}


def files_below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - NOT_OURS)
        yield from (Path(place, name) for name in sorted(names))


def sources(*packages: str, suffixes: tuple[str, ...] = (".py",)) -> list[Path]:
    """The source files of packages; a migration is a record of one day and stays as it was."""
    found = [
        path
        for package in packages
        for path in files_below(ROOT / package)
        if path.suffix in suffixes and "migrations" not in path.parts
    ]
    assert found, packages
    return found


def named(path: Path, line: int | None = None) -> str:
    return str(path.relative_to(ROOT)) + (f":{line}" if line else "")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_too_long() -> None:
    code = sources(*PACKAGES, "scripts", suffixes=(".py", ".js", ".mjs", ".html", ".css", ".scss"))
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in code}
    assert {name: length for name, length in lengths.items() if length > FILE_LINES_MAX} == {}


def test_no_function_is_too_long() -> None:
    lengths = {
        f"{named(path, function.lineno)} {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in sources(*PACKAGES, "scripts")
        for function in functions(path)
    }
    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES_MAX} == {}


def calls(path: Path, method: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            yield node


def test_one_place_commits() -> None:
    committing = {named(path) for path in sources("app") if any(calls(path, "commit"))}
    assert committing == {"app/db/session.py"}


def test_every_flush_says_why() -> None:
    silent = []
    for path in sources("app"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for call in calls(path, "flush"):
            beside, above = lines[(call.end_lineno or call.lineno) - 1], lines[call.lineno - 2].strip()
            if "#" not in beside and not above.startswith("#"):
                silent.append(named(path, call.lineno))
    assert silent == []


def test_the_root_of_app_imports_nothing() -> None:
    body = ast.parse((ROOT / "app" / "__init__.py").read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr), "an import there would hide from the import contracts"


def test_engines_open_no_address() -> None:
    """The import contracts see only `urllib` as a whole, of which engines may use the harmless half."""
    opening = [
        named(path)
        for path in sources(*ENGINES)
        if re.search(r"urllib\.request|from urllib import .*request", path.read_text(encoding="utf-8"))
    ]
    assert opening == []


def test_services_do_without_the_web_framework() -> None:
    services = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.glob("app/*/service.py")
    )
    assert services
    # None in sys.modules turns an import into an error, whose traceback names the culprit.
    code = (
        "import importlib, sys\nsys.modules['flask'] = None\n"
        f"for name in {services}: importlib.import_module(name)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is the machine's setting; locks hold names and hashes."""
    hosts = (("pypi", "org"), ("pythonhosted", "org"), ("registry.npmjs", "org"), ("npmmirror", "com"))
    # In two halves, so that this file does not name them either.
    patterns = [rf"{re.escape(name)}\.{domain}" for name, domain in hosts]
    patterns += ["--(?:extra-)?index-" + "url", '"resolved": "' + "http"]
    naming = []
    for path in files_below(ROOT):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a picture or a font
            continue
        if re.search("|".join(patterns), text):
            naming.append(named(path))
    assert naming == []
