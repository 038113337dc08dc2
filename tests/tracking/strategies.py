"""Hypothesis strategies: scans of one parcel, with collisions in time made likely."""

from datetime import timedelta

from hypothesis import strategies as st

from tests.tracking.build import at
from tracking.shipment import Scan, ScanCode

PLAIN = tuple(code for code in ScanCode if code is not ScanCode.VOIDED)


@st.composite
def scan_sets(draw: st.DrawFn, *, corrections: bool = False, max_size: int = 8) -> list[Scan]:
    """Distinct scans of one parcel; with `corrections`, some declare others (or nobody) an error."""
    count = draw(st.integers(0, max_size))
    scans = []
    for number in range(count):
        code = draw(st.sampled_from(PLAIN))
        corrects = None
        if corrections and draw(st.integers(0, 3)) == 0:
            corrects = f"s{draw(st.integers(0, count).filter(lambda n, own=number: n != own))}"
            code = draw(st.sampled_from([code, ScanCode.VOIDED]))
        occurred_at = at(draw(st.integers(0, 6)))
        scans.append(
            Scan(
                scan_id=f"s{number}",
                code=code,
                occurred_at=occurred_at,
                offset_minutes=draw(st.sampled_from([480, 540])),
                # Some clocks run ahead of the server, most scans come a little late.
                received_at=occurred_at + timedelta(minutes=draw(st.sampled_from([-20, -2, 0, 1, 400]))),
                device_id=f"d{number % 2}",
                client_scan_id=f"c{number}",
                facility_id=draw(st.sampled_from([None, 1, 2])),
                courier_id=draw(st.sampled_from([None, 7])),
                reason=draw(st.sampled_from([None, "cannot_contact"])),
                corrects=corrects,
            )
        )
    return scans
