import json
import subprocess
import sys

import pytest

from settlement.__main__ import main

ORDER = {
    "order_id": "A1", "total_minor": 2207, "weight_g": 2500, "pieces": 1, "service": "standard",
    "roles": {"platform": [{"party_id": 1}], "hub": [{"party_id": 3, "weight": 2}, {"party_id": 4}]},
}  # fmt: skip


def test_command_line_prints_shares_with_reasons(document, tmp_path):
    order = tmp_path / "order.json"
    order.write_text(json.dumps({"terms": document, "facts": ORDER}))
    run = subprocess.run(
        [sys.executable, "-m", "settlement", "split", str(order)], capture_output=True, text=True, check=True
    )
    answer = json.loads(run.stdout)
    assert sum(share["amount_minor"] for share in answer["shares"]) == answer["total_minor"] == 2207
    assert answer["shares"][0] == {"party_id": 3, "role": "hub", "amount_minor": 67, "amount": "0.67"}
    assert {"key": "split.amount", "params": {"party_id": 70, "amount": "0.30", "currency": "CNY"}} in answer[
        "reasons"
    ]


@pytest.mark.parametrize(
    "facts", [{"total_minor": 22.07}, {"total_minor": -1}, {"colour": "red"}, {"roles": {"pilot": []}}]
)
def test_command_line_refuses_with_the_reason(document, tmp_path, capsys, facts):
    order = tmp_path / "order.json"
    order.write_text(json.dumps({"terms": document, "facts": ORDER | facts}))
    assert main(["split", str(order)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("settlement: ")
