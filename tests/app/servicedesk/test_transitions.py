"""Every (state, event) pair of a case, written out."""

from __future__ import annotations

import itertools

import pytest

from app.servicedesk.transitions import TRANSITIONS, after
from app.servicedesk.values import CaseEventKind, CaseStatus

A, W, R, C = STATES = (
    CaseStatus.OPEN,
    CaseStatus.WAITING_CUSTOMER,
    CaseStatus.RESOLVED,
    CaseStatus.CLOSED,
)
E = CaseEventKind

# Where each event leads from open, waiting, resolved, closed; None: it cannot happen there.
EXPECTED = {
    E.OPENED: (None, None, None, None),
    E.CUSTOMER_MESSAGE: (A, A, A, A),
    E.REPLY: (A, W, R, None),
    E.NOTE: (A, W, R, C),
    E.ASSIGNED: (A, W, R, None),
    E.WAITING: (W, None, None, None),
    E.RESOLVED: (R, R, None, None),
    E.CLOSED: (None, None, C, None),
    E.CLAIM_PROPOSED: (A, W, None, None),
    E.CLAIM_POSTED: (A, W, None, None),
    E.CLAIM_REFUSED: (A, W, None, None),
}


@pytest.mark.parametrize(("status", "event"), list(itertools.product(STATES, E)))
def test_every_pair(status, event):
    assert after(status, event) == EXPECTED[event][STATES.index(status)]


def test_every_status_can_be_reached():
    assert set(TRANSITIONS.values()) == set(CaseStatus)
