"""One look at a usual scan says the same as looking at everything that may be wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.roles import SCOPES, Role
from app.actor import Actor
from app.shipments import scan_values
from app.shipments.models import ProofKind
from app.shipments.scan_values import Gate, ProofInput, ScanInput
from tracking.shipment import ScanCode

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FACILITIES = {1, 2, 3}
TEXTS = st.sampled_from(["WH000000000001", "belt-7", " ", "", "\t", "a\0b", "x" * 200, "x" * 201, "receipt"])
MOMENTS = st.sampled_from(
    [
        NOW,
        NOW.astimezone(timezone(timedelta(hours=8))),
        NOW.replace(tzinfo=None),
        NOW - timedelta(days=401),
        NOW + timedelta(days=3),
    ]
)
SCANS = st.builds(
    ScanInput,
    number=TEXTS,
    code=st.sampled_from([*(code.value for code in ScanCode), "lunch"]),
    occurred_at=MOMENTS,
    device_id=TEXTS,
    client_scan_id=TEXTS,
    offset_minutes=st.sampled_from([480, 0, -721, 841]),
    facility_id=st.sampled_from([None, 1, 2, 9, -1]),
    courier_id=st.sampled_from([None, 5, 0]),
    reason=st.sampled_from([None, "late", "x" * 501]),
    corrects=st.sampled_from([None, "", "a" * 32]),
    proof=st.sampled_from([None, ProofInput(ProofKind.CODE, "Li"), ProofInput(ProofKind.CODE, " ")]),
    piece_no=st.sampled_from([None, 0, 2]),
)


def actor(role: Role, subject_id: int | None) -> Actor:
    return Actor(7, 1, "somebody", role, SCOPES[role], subject_id)


ACTORS = st.sampled_from(
    [None, actor(Role.DISPATCHER, None), actor(Role.HUB, 1), actor(Role.HUB, 8), actor(Role.COURIER, 5)]
)


@given(scan=SCANS, asker=ACTORS)
def test_a_usual_scan_has_nothing_wrong_with_it(scan: ScanInput, asker: Actor | None) -> None:
    class Thorough(Gate):
        def _usual(self, scan: ScanInput) -> bool:
            return False

    assert Gate(1, asker, FACILITIES, NOW).refusal(scan) == Thorough(1, asker, FACILITIES, NOW).refusal(scan)


@pytest.mark.parametrize("code", sorted(scan_values._PLAIN_CODES))
def test_what_belts_send_is_not_looked_at_twice(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def looked_at(*_given: Any) -> None:
        raise AssertionError("the reason was asked for")

    monkeypatch.setattr(scan_values, "_malformed", looked_at)
    scan = ScanInput("WH000000000001", code, NOW, "belt-7", "1", facility_id=1)
    assert Gate(1, actor(Role.HUB, 1), FACILITIES, NOW).refusal(scan) is None
    with pytest.raises(AssertionError, match="was asked for"):
        Gate(1, actor(Role.HUB, 2), FACILITIES, NOW).refusal(scan)
