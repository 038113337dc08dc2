"""`python -m tracking` as a shell sees it, and the engine's purity."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tracking.__main__ import main

SCAN = {
    "scan_id": "1",
    "code": "delivered",
    "occurred_at": "2026-03-02T08:00:00Z",
    "offset_minutes": 480,
    "received_at": "2026-03-02T08:00:03Z",
    "device_id": "gun-1",
    "client_scan_id": "1",
    "facility_id": None,
    "courier_id": 7,
}


def test_fold_prints_the_state(tmp_path, capsys):
    path = tmp_path / "scans.json"
    path.write_text(json.dumps([SCAN, SCAN]))
    assert main(["fold", str(path)]) == 0
    state = json.loads(capsys.readouterr().out)
    assert (state["milestone"], state["delivered_at"], state["scan_count"]) == (
        "delivered",
        "2026-03-02T08:00:00Z",
        1,
    )
    assert state["findings"][0]["kind"] == "collection_missing"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[{}]", "missing required field"),
        ("not json", "malformed"),
        (json.dumps([SCAN | {"code": "teleported"}]), "teleported"),
        (json.dumps([SCAN | {"occurred_at": "2026-03-02T08:00:00+08:00"}]), "aware time in UTC"),
    ],
)
def test_bad_scans_are_named(tmp_path, capsys, content, message):
    path = tmp_path / "scans.json"
    path.write_text(content)
    assert main(["fold", str(path)]) == 2
    assert message in capsys.readouterr().err
    assert main(["fold", str(tmp_path / "none.json")]) == 2


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        ("RB 123456785 GB", 0, "RB123456785GB: s10, Royal Mail Group plc"),
        ("1z5r89390357567127", 0, "1Z5R89390357567127: UPS"),
        ("376104250021234569", 0, "376104250021234569: sscc"),
        ("wh-8513-1136-0597", 0, "WH851311360597: waybill"),
        ("WH851311360598", 1, "WH851311360598: no valid number"),
    ],
)
def test_number_check(capsys, number, status, said):
    assert main(["number", "check", number]) == status
    assert capsys.readouterr().out.strip() == said


def test_it_runs_as_a_module_and_brings_no_framework():
    root = Path(__file__).parents[2]
    piped = subprocess.run(
        [sys.executable, "-m", "tracking", "fold", "-"],
        input=json.dumps([SCAN]),
        capture_output=True,
        text=True,
        cwd=root,
        check=True,
    )
    assert json.loads(piped.stdout)["code"] == "delivered"
    modules = sorted(path.stem for path in (root / "tracking").glob("[a-z]*.py"))
    code = (
        f"import sys, importlib; [importlib.import_module('tracking.' + name) for name in {modules}];"
        "others = {'flask', 'sqlalchemy', 'apscheduler', 'app', 'routing.pickup', 'ortools'};"
        "print(sorted(others & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert loaded.stdout.strip() == "[]"
