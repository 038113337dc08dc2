"""The life of a container: every pair of state and act."""

from __future__ import annotations

from itertools import product

import pytest

from tracking.container_states import HOLDS, TRANSITIONS, ContainerAct, ContainerStatus, next_status
from tracking.containers import ContainerKind
from tracking.errors import ScanError

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
