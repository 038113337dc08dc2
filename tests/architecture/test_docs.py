"""The documentation tells the truth: its tables are the code's, and its commands run."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from apiflask import APIFlask
from flask import Flask
from psycopg import sql
from werkzeug.serving import make_server

from app import security
from app.accounts.roles import SCOPES, Role, Scope
from app.config import Settings
from app.db.embedded_binaries import choose
from app.factory import create_app
from app.scheduler import JOBS
from app.security import access_of
from app.subscriptions import HANDLERS
from settlement.ledger import Purpose
from settlement.posting import POSTINGS
from tests.support.app import Logins, StepClock, app, new_tenant, settings, tenant
from tests.support.company import company

__all__ = ["app", "new_tenant", "settings", "tenant"]

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])
SOURCES = [path for path in (ROOT / "app").rglob("*.py") if "migrations" not in path.parts]
MACHINES = (*security.MACHINES, "/openapi.json", "/livez", "/readyz", "/metrics")

# Commands too large to be run by a test of their own, and where they are run: the file must say so.
RUN_ELSEWHERE = {
    "make check": (".ci/run", r"^make check$"),
    "make run": ("tests/faults/test_supervisor.py", r"serve\.run\("),
    "make run PORT=8001": ("tests/architecture/test_makefile.py", r'"run", "PORT='),
    "make bench": ("tests/architecture/test_docs.py", r"def test_a_benchmark_prints_its_table"),
}
BESIDE = "against the demo"
SERVER = "with DATABASE_URL and SECRET_KEY set"
REFUSED = f"{SERVER}, refused"


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(name: str, columns: int) -> list[tuple[str, ...]]:
    """The rows of every table of a page that has so many columns, headers and rules left out."""
    found = [
        tuple(cell.strip() for cell in line.strip()[1:-1].split("|"))
        for line in text(name).splitlines()
        if line.startswith("|")
    ]
    return [row for row in found if len(row) == columns and not set(row[0]) <= set("-: ")]


def code(cell: str) -> str:
    """What stands between backticks, the cell itself where there are none."""
    return cell.strip("`")


# Tables


def test_every_setting_is_documented_with_its_default() -> None:
    documented = {code(row[0]): row[1] for row in rows("docs/operations.md", 3)}
    for name, field in Settings.model_fields.items():
        if field.is_required():
            default = "required"
        elif field.default is None:
            default = "none"
        else:
            shown = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
            default = f"`{shown}`"
        assert documented.get(name.upper()) == default, f"docs/operations.md: {name.upper()} {default}"


def test_every_other_variable_that_is_read_is_documented() -> None:
    pattern = r'environ(?:ment)?(?:\.get\(|\[)"([A-Z_]+)"|"([A-Z_]+)" in os\.environ'
    read = {
        asked or looked_for
        for path in SOURCES
        for asked, looked_for in re.findall(pattern, path.read_text("utf-8"))
    }
    assert "WHEELHOUSE_PG_BINARIES" in read, "the pattern finds none any more"
    documented = {code(row[0]) for row in rows("docs/operations.md", 3)}
    assert read - documented == set()


def routes(application: Flask) -> Iterator[tuple[str, str, str, bool, str]]:
    """Method, path, scope, whether a key is needed, and what it is for; of every route."""
    for rule in application.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        view = application.view_functions[rule.endpoint]
        method = ", ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        access = access_of(view) or ""
        scope = access if access in ("public", "signed-in") else f"`{access}`"
        spec: dict[str, str] = getattr(view, "_spec", {})
        what = spec.get("summary") or (view.__doc__ or "").strip().partition("\n")[0]
        key = getattr(view, "needs_idempotency_key", False)
        yield f"`{method}`", f"`{rule.rule}`", scope, key, what.rstrip(".")


@pytest.fixture(scope="module")
def wired() -> APIFlask:
    """The application without a database: for what it says of itself."""
    return create_app(Settings(database_url="postgresql://nobody@localhost/none", secret_key="x" * 32))


def test_every_machines_door_is_documented(wired: APIFlask) -> None:
    real = {
        (method, path, scope, "yes" if key else ""): what
        for method, path, scope, key, what in routes(wired)
        if code(path).startswith(MACHINES)
    }
    documented = [row[:4] for row in rows("docs/api.md", 5)[1:]]
    missing = [f"| {' | '.join(row)} | {real[row]} |" for row in real if row not in documented]
    assert missing == [], "docs/api.md lacks these rows:\n" + "\n".join(missing)
    assert [row for row in documented if row not in real] == [], "docs/api.md has doors that are not there"


def test_every_page_is_documented(wired: APIFlask) -> None:
    real = {
        (method, path, scope): what
        for method, path, scope, _key, what in routes(wired)
        if not code(path).startswith(MACHINES)
    }
    documented = [row[:3] for row in rows("docs/pages.md", 4)[1:]]
    missing = [f"| {' | '.join(row)} | {real[row]} |" for row in real if row not in documented]
    assert missing == [], "docs/pages.md lacks these rows:\n" + "\n".join(missing)
    assert [row for row in documented if row not in real] == [], "docs/pages.md has pages that are not there"


def test_every_job_is_documented_with_its_interval() -> None:
    documented = {code(row[0]): row[1] for row in rows("docs/operations.md", 3)}
    for job in JOBS:
        assert documented.get(job.name) == interval(job.every), f"docs/operations.md: {job.name}"


def interval(every: timedelta) -> str:
    seconds = int(every.total_seconds())
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def test_every_topic_is_documented() -> None:
    documented = {code(row[0]) for row in rows("docs/operations.md", 3)}
    appended = {
        topic
        for path in SOURCES
        for topic in re.findall(r'outbox\.append\(\s*\w+,\s*"([a-z_.]+)"', path.read_text("utf-8"))
    }
    assert appended, "the pattern finds none any more"
    assert (set(HANDLERS) | appended) - documented == set()


def test_every_metric_is_documented() -> None:
    names = {
        name for path in SOURCES for name in re.findall(r'"(wheelhouse_[a-z_]+)"', path.read_text("utf-8"))
    }
    documented = {code(row[0]).removesuffix("_total") for row in rows("docs/operations.md", 3)}
    assert names
    assert names - documented == set()


def test_the_table_of_postings_is_the_codes() -> None:
    def side(purposes: frozenset[Purpose]) -> str:
        return ", ".join(f"`{purpose}`" for purpose in sorted(purposes)) or "of its original, turned round"

    real = [
        (f"`{kind}`", posting.when, side(posting.debit), side(posting.credit))
        for kind, posting in POSTINGS.items()
    ]
    assert rows("docs/postings.md", 4)[1:] == real


def test_every_purpose_of_an_account_is_documented_with_its_book() -> None:
    documented = [row[:2] for row in rows("docs/postings.md", 3)[1:]]
    assert documented == [(f"`{purpose}`", purpose.book) for purpose in Purpose]


def test_the_table_of_roles_is_the_codes() -> None:
    table = rows("docs/roles.md", 1 + len(Role))
    assert table[0] == ("scope", *Role)
    real = [(f"`{scope}`", *("yes" if scope in SCOPES[role] else "" for role in Role)) for scope in Scope]
    assert table[1:] == real


def test_the_layers_are_drawn_as_they_are_held() -> None:
    held = re.search(r"^layers =\n((?:    .+\n)+)", text(".importlinter"), re.MULTILINE)
    assert held is not None
    drawn = re.search(r"```text\n(cli\n.*?)```", text("docs/architecture.md"), re.DOTALL)
    assert drawn is not None
    assert drawn[1].split("\n")[:-1] == [line.strip() for line in held[1].splitlines()]


def test_every_room_is_described() -> None:
    described = set(re.findall(r"^### (\S+)$", text("docs/rooms.md"), re.MULTILINE))
    rooms = {f"app.{path.parent.name}" for path in (ROOT / "app").glob("*/__init__.py")} - {
        "app.db",
        "app.i18n",
    }
    assert described == rooms | {"tracking", "routing.network", "routing.pickup", "settlement"}


def test_every_decision_is_listed() -> None:
    listed = set(re.findall(r"\(([0-9]{4}-[a-z-]+\.md)\)", text("docs/decisions/index.md")))
    assert listed == {path.name for path in (DOCS / "decisions").glob("[0-9]*.md")}


def test_the_words_on_pages_are_on_pages() -> None:
    catalogs = "".join(path.read_text("utf-8") for path in (ROOT / "app" / "translations").rglob("*.po"))
    words = {row[0]: row[1] for row in rows("docs/glossary.md", 3)[1:] if row[1] != "–"}
    assert len(words) > 20
    assert {term: word for term, word in words.items() if word not in catalogs} == {}


# What is named in passing


def test_every_name_of_the_code_exists() -> None:
    """`app.room.module.function` in the text is a module, or something in one."""
    pattern = r"`((?:app|tracking|routing|settlement)(?:\.\w+)+)`"
    missing = {
        f"{path.name}: {name}"
        for path in PAGES
        for name in re.findall(pattern, path.read_text("utf-8"))
        if not resolves(name)
    }
    assert missing == set()


def resolves(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


def test_every_file_that_is_named_exists() -> None:
    pattern = r"`((?:app|tracking|routing|settlement|tests|benchmarks|scripts|docs)/[\w./-]*)`"
    missing = {
        f"{path.name}: {name}"
        for path in PAGES
        for name in re.findall(pattern, path.read_text("utf-8"))
        if not (ROOT / name).exists()
    }
    assert missing == set()


def test_every_picture_is_there() -> None:
    shown = {
        path.parent / name
        for path in PAGES
        for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", path.read_text("utf-8"))
    }
    assert shown
    assert {str(picture) for picture in shown if not picture.exists()} == set()


def test_every_target_that_is_named_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    named = {
        name for path in PAGES for name in re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text("utf-8"), re.M)
    }
    assert named - targets == set()


def test_the_pages_build_and_no_link_is_dead(tmp_path: Path) -> None:
    """Not with --quiet: that hides the warnings which --strict is to count."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-3000:]


# Commands


@dataclass(frozen=True)
class Block:
    """The commands between two fences, and the title that says what they need."""

    page: str
    title: str
    commands: str


def blocks() -> list[Block]:
    fence = re.compile(r'^```sh(?: title="([^"]*)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
    return [
        Block(str(path.relative_to(ROOT)), title, commands.strip())
        for path in PAGES
        for title, commands in fence.findall(path.read_text("utf-8"))
    ]


def test_every_command_is_run_by_a_test() -> None:
    """A fence is `sh` with a title that is known here; prompts and other shells would escape the tests."""
    assert {block.title for block in blocks()} == {"", BESIDE, SERVER, REFUSED}
    for path in PAGES:
        languages = set(re.findall(r"^```(\w+)", path.read_text("utf-8"), re.MULTILINE))
        assert languages <= {"sh", "text", "json", "ini"}, path
    assert {block.page for block in blocks() if block.title == BESIDE} == {"docs/api.md"}


def test_what_runs_elsewhere_does() -> None:
    used = {block.commands for block in blocks()}
    for command, (name, pattern) in RUN_ELSEWHERE.items():
        assert command in used, f"{command} is not in the documentation any more"
        assert re.search(pattern, text(name), re.MULTILINE), f"{name} does not run {command}"


def shell(commands: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    named = os.environ.get("WHEELHOUSE_PG_BINARIES")
    database_programs = choose(Path(named) if named else None).folder
    programs = f"{Path(sys.executable).parent}:{database_programs}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=os.environ | {"PATH": programs} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,  # hangs are found, slow machines are not judged
    )


@pytest.mark.parametrize(
    "commands",
    sorted({block.commands for block in blocks() if not block.title} - set(RUN_ELSEWHERE)),
    ids=lambda commands: commands.splitlines()[-1][-40:],
)
def test_a_command_that_needs_nothing_runs(commands: str) -> None:
    answer = shell(commands)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "benchmarks").glob("[a-z]*.py")))
def test_a_benchmark_prints_its_table(name: str) -> None:
    answer = shell(f"python benchmarks/{name} --seconds 0.02")
    assert answer.returncode == 0, answer.stderr
    if "set WHEELHOUSE_DATA" in answer.stdout + answer.stderr:
        pytest.skip((answer.stdout + answer.stderr).strip())
    assert "limit: " in answer.stdout
    assert "peer: " in answer.stdout
    assert "arrivals differ" not in answer.stdout or "; 0 of" in answer.stdout


def libpq(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def test_the_commands_of_operations_run_in_their_order(empty_database_url: str, tmp_path: Path) -> None:
    url = libpq(empty_database_url)
    restored = re.sub(r"/(test_[0-9a-f]+)", r"/\1_restored", url)
    name = sql.Identifier(re.findall(r"/(test_[0-9a-f]+_restored)", restored)[0])
    environment = {
        "DATABASE_URL": url,
        "RESTORED_URL": restored,
        "BACKUPS": str(tmp_path),
        "SECRET_KEY": "a key of the tests that is long enough",
        "FIRST_PASSWORD": "correct horse battery",
    }
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    try:
        for block in blocks():
            if block.title not in (SERVER, REFUSED):
                continue
            answer = shell(block.commands, **environment)
            assert (answer.returncode != 0) is (block.title == REFUSED), (block, answer.stderr)
        assert (tmp_path / "wheelhouse.dump").stat().st_size > 0
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="module")
def clock() -> StepClock:
    """The present: the examples say `date`."""
    return StepClock(datetime.now(UTC))


@pytest.fixture
def address(app: APIFlask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_examples_of_the_api_work(address: str, tenant: Logins, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        assert "CI" not in os.environ, "curl is not installed"
        pytest.skip("NO CURL: the examples of the API were NOT run; install curl")
    firm = company(tenant)
    commands = "\n".join(block.commands for block in blocks() if block.title == BESIDE)
    answer = shell(
        commands,
        tmp_path,
        WHEELHOUSE=address,
        SHIPPER_TOKEN=tenant.api(Role.SHIPPER, firm.shipper_id).token,
        HUB_TOKEN=tenant.api(Role.HUB, firm.facilities["WUH-01"]).token,
    )
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "label.pdf").read_bytes().startswith(b"%PDF")
    assert '"recorded"' in answer.stdout
    assert '"open"' in answer.stdout, "the phone's last digits did not open the details"
