"""Set-up does what is not done yet, and notices when it is."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "setup.py"


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, in an empty clone with an environment that is there already."""
    spec = importlib.util.spec_from_file_location("wheelhouse_setup", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "wheelhouse_setup", module)
    spec.loader.exec_module(module)
    venv = tmp_path / ".venv"
    venv.mkdir()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "STAMPS", venv / "setup-stamps")
    monkeypatch.setattr(module, "VENV_PYTHON", Path(sys.executable))
    return module


def copying_step(setup: ModuleType) -> object:
    code = "import pathlib; pathlib.Path('made').write_text(pathlib.Path('source/text').read_text())"
    return setup.Step("copy", "Copying", ("-c", code), ("source", "missing"), "made*")


def test_a_step_is_done_until_its_inputs_change(setup: ModuleType, tmp_path: Path) -> None:
    source = tmp_path / "source" / "text"
    source.parent.mkdir()
    source.write_text("one")
    step = copying_step(setup)
    assert not step.is_done()
    step.run()
    assert step.is_done()
    os.utime(source, (0, 0))
    assert step.is_done(), "a date is not a change"
    source.write_text("two")
    assert not step.is_done()
    step.run()
    assert (tmp_path / "made").read_text() == "two"
    (tmp_path / "made").unlink()
    assert not step.is_done(), "what it made is gone"


def test_a_failed_step_is_not_done(setup: ModuleType) -> None:
    step = copying_step(setup)
    with pytest.raises(setup.SetupError, match="ended with 1"):
        step.run()
    assert not step.is_done()


def test_the_developers_packages_include_the_services(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text("flask==3.1.3\n")
    run: list[list[str]] = []
    monkeypatch.setattr(setup, "_run", run.append)
    monkeypatch.setattr(setup, "_make_environment", lambda: None)
    monkeypatch.setattr(setup.Step, "is_done", lambda step: (setup.STAMPS / step.name).exists())
    setup.set_up(developing=True)
    setup.set_up(developing=False)
    installed = [command[-1] for command in run if "pip" in command]
    assert installed == ["requirements-dev.txt"]


def test_the_lock_files_agree() -> None:
    """Each file pins whatever the smaller one before it pins, to the same version."""
    pins = [
        {line.split()[0] for line in (SCRIPT.parents[1] / name).read_text().splitlines() if "==" in line}
        for name in ("requirements.txt", "requirements-cluster.txt", "requirements-dev.txt")
    ]
    bench = (SCRIPT.parents[1] / "requirements-bench.txt").read_text()
    assert pins[0]
    assert pins[0] - {line.split()[0] for line in bench.splitlines() if "==" in line} == set()
    assert pins[0] - pins[1] == set()
    assert pins[1] - pins[2] == set()
