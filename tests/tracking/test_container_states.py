"""The life of a container: every pair of state and act."""

from __future__ import annotations

from itertools import product

import pytest

from tracking.container_states import (
    HOLDS,
    TRANSITIONS,
    ContainerAct,
    ContainerStatus,
    after_scan,
    next_status,
)
from tracking.containers import ContainerKind
from tracking.errors import ScanError
from tracking.shipment import ScanCode

_S, _A = ContainerStatus, ContainerAct

# What each state allows, as the dock knows it: nothing enters what is sealed, nothing leaves it before it is
# received, and what is broken is broken.
ALLOWED = {
    _S.OPEN: {_A.PACK: _S.OPEN, _A.UNPACK: _S.OPEN, _A.SEAL: _S.SEALED, _A.BREAK: _S.BROKEN},
    _S.SEALED: {_A.DISPATCH: _S.DISPATCHED, _A.RECEIVE: _S.RECEIVED, _A.BREAK: _S.BROKEN},
    _S.DISPATCHED: {_A.RECEIVE: _S.RECEIVED, _A.BREAK: _S.BROKEN},
    _S.RECEIVED: {_A.CHECK: _S.RECEIVED, _A.UNPACK: _S.RECEIVED, _A.BREAK: _S.BROKEN},
    _S.BROKEN: {},
}


@pytest.mark.parametrize(("status", "act"), list(product(ContainerStatus, ContainerAct)))
def test_every_pair_of_state_and_act(status, act):
    after = ALLOWED[status].get(act)
    if after is None:
        with pytest.raises(ScanError, match="cannot be taken"):
            next_status(status, act)
    else:
        assert next_status(status, act) is after


def test_nothing_returns_to_an_earlier_state():
    order = list(ContainerStatus)
    for (status, _act), after in TRANSITIONS.items():
        assert order.index(after) >= order.index(status)


def test_no_kind_holds_one_that_holds_it():
    for kind, held in product(ContainerKind, ContainerKind):
        if kind is not held and held in HOLDS[kind]:
            assert kind not in HOLDS[held]


@pytest.mark.parametrize("status", ContainerStatus)
@pytest.mark.parametrize("code", ScanCode)
@pytest.mark.parametrize("at_its_end", [True, False])
def test_a_scan_of_the_outside_takes_a_container_on_and_never_back(status, code, at_its_end):
    after = after_scan(status, code, at_its_end=at_its_end)
    rank = list(ContainerStatus).index
    assert rank(after) >= rank(status)
    expected = {
        (ScanCode.DEPARTED, True): (2, ContainerStatus.DISPATCHED),
        (ScanCode.DEPARTED, False): (2, ContainerStatus.DISPATCHED),
        (ScanCode.ARRIVED, True): (3, ContainerStatus.RECEIVED),
    }.get((code, at_its_end))
    if expected is None or rank(status) >= expected[0]:
        assert after is status
    else:
        assert after is expected[1]
