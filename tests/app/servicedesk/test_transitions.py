"""Every (state, event) pair of a case, written out."""

from __future__ import annotations

import itertools

import pytest

from app.servicedesk.transitions import TRANSITIONS, after
from app.servicedesk.values import CaseEventKind, CaseStatus

O, W, R, C = CaseStatus.OPEN, CaseStatus.WAITING_CUSTOMER, CaseStatus.RESOLVED, CaseStatus.CLOSED
E = CaseEventKind

# Where each event leads from open, waiting, resolved, closed; None: it cannot happen there.
EXPECTED = {
    E.OPENED: (None, None, None, None),
    E.CUSTOMER_MESSAGE: (O, O, O, O),
    E.REPLY: (O, W, R, None),
    E.NOTE: (O, W, R, C),
    E.ASSIGNED: (O, W, R, None),
    E.WAITING: (W, None, None, None),
    E.RESOLVED: (R, R, None, None),
    E.CLOSED: (None, None, C, None),
    E.CLAIM_PROPOSED: (O, W, None, None),
    E.CLAIM_POSTED: (O, W, None, None),
    E.CLAIM_REFUSED: (O, W, None, None),
}


@pytest.mark.parametrize(("status", "event"), list(itertools.product((O, W, R, C), E)))
def test_every_pair(status, event):
    assert after(status, event) == EXPECTED[event][(O, W, R, C).index(status)]


def test_every_status_can_be_reached():
    assert set(TRANSITIONS.values()) == set(CaseStatus)
