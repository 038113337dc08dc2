"""What may be asked of a parcel: every pair of kind and milestone, every pair of standing and step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.errors import InstructionError
from tracking.instructions import (
    OPEN,
    RULES,
    STEPS,
    Asker,
    InstructionKind,
    InstructionRefusal,
    Standing,
    Step,
    Whereabouts,
    after,
    due_scan,
    is_met,
    is_overtaken,
    may_be_withdrawn,
    refusal,
)
from tracking.shipment import Milestone, ScanCode
from tracking.transitions import TERMINAL, TRANSITIONS

K, M = InstructionKind, Milestone

# What the staff may still have done at each milestone, written out by hand.
POSSIBLE = {
    M.PENDING: set(),
    M.BOOKED: {K.REDIRECT},
    M.CANCELLED: set(),
    M.EXCEPTION: {K.INTERCEPT, K.RETURN_TO_SENDER},
    M.ACCEPTED: set(K),
    M.IN_TRANSIT: set(K),
    M.OUT_FOR_DELIVERY: set(),
    M.ATTEMPT_FAILED: set(K),
    M.READY_FOR_PICKUP: {K.RETURN_TO_SENDER},
    M.RETURNING: set(),
    M.LOST: set(),
    M.RETURNED: set(),
    M.DELIVERED: set(),
}

places = st.builds(
    Whereabouts,
    st.sampled_from(Milestone),
    st.sampled_from(ScanCode),
    st.none() | st.integers(1, 3),
    st.integers(1, 3),
)


@pytest.mark.parametrize("milestone", Milestone)
def test_what_may_be_asked_where(milestone: Milestone) -> None:
    assert {kind for kind in K if refusal(kind, Asker.STAFF, milestone) is None} == POSSIBLE[milestone]


@pytest.mark.parametrize("kind", K)
@pytest.mark.parametrize("milestone", Milestone)
def test_a_consignee_neither_stops_nor_sends_back(kind: InstructionKind, milestone: Milestone) -> None:
    found = refusal(kind, Asker.CONSIGNEE, milestone)
    if kind in (K.INTERCEPT, K.RETURN_TO_SENDER):
        assert found is InstructionRefusal.NOT_BY_YOU
    else:
        assert (found is None) == (refusal(kind, Asker.STAFF, milestone) is None)


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("step", Step)
def test_every_pair_of_standing_and_step(standing: Standing, step: Step) -> None:
    if (standing, step) in STEPS:
        assert after(standing, step) is STEPS[standing, step]
    else:
        with pytest.raises(InstructionError):
            after(standing, step)


def test_what_is_refused_or_withdrawn_takes_no_further_step() -> None:
    for standing in (Standing.REFUSED, Standing.WITHDRAWN):
        assert not [step for begun, step in STEPS if begun is standing]
    assert set(RULES) == set(K)


@given(st.sampled_from(K), places)
def test_what_is_recorded_fits_the_table_of_transitions(kind: InstructionKind, where: Whereabouts) -> None:
    code = due_scan(kind, where)
    if code is None:
        return
    cell = TRANSITIONS[where.milestone, code]
    assert cell.decides
    assert where.lies_at is not None
    reached = Whereabouts(cell.to, code, where.lies_at, where.destination_id)
    assert is_met(kind, reached)
    assert not is_overtaken(kind, reached)


@given(st.sampled_from(K), places)
def test_an_end_that_was_not_asked_for_overtakes(kind: InstructionKind, where: Whereabouts) -> None:
    if is_overtaken(kind, where):
        assert where.milestone in TERMINAL
        assert due_scan(kind, where) is None


@given(st.sampled_from(K), st.sampled_from(Standing), places)
def test_only_an_interception_is_taken_back_once_it_is_done(
    kind: InstructionKind, standing: Standing, where: Whereabouts
) -> None:
    if may_be_withdrawn(kind, standing, where):
        assert (standing, Step.WITHDRAW) in STEPS
        assert standing in OPEN or (kind is K.INTERCEPT and where.code is ScanCode.INTERCEPTED)


def test_on_a_lorry_it_lies_nowhere_and_after_a_failed_attempt_at_its_outlet() -> None:
    assert Whereabouts(M.IN_TRANSIT, ScanCode.DEPARTED, 1, 2).lies_at is None
    assert Whereabouts(M.IN_TRANSIT, ScanCode.ARRIVED, 1, 2).lies_at == 1
    assert Whereabouts(M.ATTEMPT_FAILED, ScanCode.ATTEMPT_FAILED, None, 2).lies_at == 2
    assert Whereabouts(M.OUT_FOR_DELIVERY, ScanCode.OUT_FOR_DELIVERY, 2, 2).lies_at is None
