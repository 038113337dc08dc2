"""Any sequence of events keeps the books; a broken posting does not get past the same invariants."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from settlement import posting
from settlement.errors import SettlementError
from settlement.ledger import Entry, Purpose
from tests.settlement.life_of_money import PAYER, LifeOfMoney

SETTINGS = settings(max_examples=120, stateful_step_count=50, deadline=None)
LifeOfMoney.TestCase.settings = SETTINGS
TestLifeOfMoney = LifeOfMoney.TestCase


def _swapped(make, swap):
    """The same posting with other accounts: still balanced, yet wrong."""

    def broken(*arguments):
        entry = make(*arguments)
        lines = tuple(
            Entry(replace(line.account, **swap.get(line.account.purpose, {})), line.amount_minor)
            for line in entry.entries
        )
        return replace(entry, entries=lines)

    return broken


def _doubled(make):
    def broken(*arguments):
        entry = make(*arguments)
        return replace(
            entry, entries=tuple(Entry(line.account, 2 * line.amount_minor) for line in entry.entries)
        )

    return broken


def _without_own_book(make):
    def broken(*arguments):
        entry = make(*arguments)
        own = {Purpose.PLATFORM_CLAIM, Purpose.PLATFORM_REVENUE, Purpose.PARTY_DEBT}
        return replace(
            entry, entries=tuple(line for line in entry.entries if line.account.purpose not in own)
        )

    return broken


MUTANTS = {
    "an order is payable at once": (
        "order_placed_split_held",
        lambda make: _swapped(make, {Purpose.HELD: {"purpose": Purpose.AVAILABLE}}),
    ),
    "a release goes nowhere near the parties": (
        "receipt_released",
        lambda make: _swapped(make, {Purpose.AVAILABLE: {"purpose": Purpose.IN_PAYOUT}}),
    ),
    "a release leaves out the platform's own book": ("receipt_released", _without_own_book),
    "a payment is counted twice": ("paid", _doubled),
    "a payout is taken from available again": (
        "payout_paid",
        lambda make: _swapped(make, {Purpose.IN_PAYOUT: {"purpose": Purpose.AVAILABLE}}),
    ),
    "a bounce goes to another party": (
        "payout_bounced",
        lambda make: _swapped(make, {Purpose.AVAILABLE: {"party_id": PAYER + 1}}),
    ),
    "a refund is taken twice": ("refunded_before_release", _doubled),
    "an advance books no debt": ("compensation_awarded", _without_own_book),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_posting_is_caught(mutant):
    name, break_it = MUTANTS[mutant]
    broken = SimpleNamespace(**{key: getattr(posting, key) for key in posting.__all__})
    setattr(broken, name, break_it(getattr(posting, name)))
    machine = type("Broken", (LifeOfMoney,), {"postings": broken})
    only_find = settings(
        SETTINGS,
        max_examples=300,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises((AssertionError, SettlementError)):
        run_state_machine_as_test(machine, settings=only_find)
