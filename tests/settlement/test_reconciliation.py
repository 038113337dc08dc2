"""Bank lines against what was expected."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.errors import ReconciliationError
from settlement.money import Money
from settlement.reconciliation import (
    Difference,
    DifferenceKind,
    Expected,
    Match,
    Options,
    Outcome,
    Rule,
    Suggestion,
    reconcile,
)
from settlement.reconciliation.sums import that_sum_to
from settlement.statements import BankLine, read_camt053
from tests.support.bank_day import DAY, bank_day

LATER = DAY + timedelta(days=30)


def line(
    amount_minor: int, reference: str = "", *, on: date = DAY, currency: str = "CNY", **fields: object
) -> BankLine:
    return BankLine("1/1", Money(amount_minor, currency), on, reference=reference, **fields)  # type: ignore[arg-type]


def wanted(expected_id: str, amount_minor: int, reference: str = "", **fields: object) -> Expected:
    return Expected(expected_id, Money(amount_minor, "CNY"), DAY, reference=reference, **fields)  # type: ignore[arg-type]


def run(lines: list[BankLine], expected: list[Expected], *, on: date = LATER, **options: object) -> Outcome:
    return reconcile(lines, expected, Options(**options), on=on)  # type: ignore[arg-type]


def kinds(outcome: Outcome) -> list[tuple[DifferenceKind, int]]:
    return [(one.kind, one.amount.amount_minor) for one in outcome.differences]


class TestReferences:
    def test_one_of_each(self) -> None:
        outcome = run([line(-100, "wh-1")], [wanted("a", -100, "WH 1")])
        assert outcome == Outcome(matches=[Match((0,), ("a",), Rule.REFERENCE)])

    def test_in_the_text(self) -> None:
        outcome = run([line(100, text="payment of (WH-17), thanks")], [wanted("a", 100, "WH-17")])
        assert [match.rule for match in outcome.matches] == [Rule.REFERENCE]
        assert outcome.differences == []

    def test_in_parts(self) -> None:
        outcome = run([line(60, "A"), line(40, "A")], [wanted("a", 100, "A")])
        assert outcome == Outcome(matches=[Match((0, 1), ("a",), Rule.PARTS)])

    def test_several_expected_paid_in_one(self) -> None:
        outcome = run([line(100, "A")], [wanted("a", 60, "A"), wanted("b", 40, "A")])
        assert outcome == Outcome(matches=[Match((0,), ("a", "b"), Rule.COLLECTED)])

    def test_several_named_in_one_text(self) -> None:
        outcome = run([line(100, text="WH-1 WH-2")], [wanted("a", 60, "WH-1"), wanted("b", 40, "WH-2")])
        assert outcome == Outcome(matches=[Match((0,), ("a", "b"), Rule.COLLECTED)])

    def test_each_its_own_amount_under_one_reference(self) -> None:
        outcome = run([line(40, "A"), line(60, "A")], [wanted("a", 60, "A"), wanted("b", 40, "A")])
        assert sorted((match.lines, match.expected) for match in outcome.matches) == [
            ((0,), ("b",)),
            ((1,), ("a",)),
        ]
        assert outcome.differences == []

    def test_a_charge_that_names_the_payment_is_a_fee(self) -> None:
        charge = line(-5, "A", text="手续费")
        outcome = run([line(-100, "A"), charge, line(-3, text="bank charge for A")], [wanted("a", -100, "A")])
        assert [match.lines for match in outcome.matches] == [(0,)]
        assert kinds(outcome) == [(DifferenceKind.FEE, -5), (DifferenceKind.FEE, -3)]

    @pytest.mark.parametrize(
        ("given_minor", "wanted_minor", "kind"),
        [
            (995, 1000, DifferenceKind.FEE),
            (-1005, -1000, DifferenceKind.FEE),
            (980, 1000, DifferenceKind.SHORT),
            (-980, -1000, DifferenceKind.SHORT),
            (1001, 1000, DifferenceKind.OVER),
            (-1030, -1000, DifferenceKind.OVER),
        ],
    )
    def test_another_amount_has_a_name(
        self, given_minor: int, wanted_minor: int, kind: DifferenceKind
    ) -> None:
        outcome = run([line(given_minor, "A")], [wanted("a", wanted_minor, "A")], fee_max_minor=5)
        assert [match.difference_minor for match in outcome.matches] == [given_minor - wanted_minor]
        assert kinds(outcome) == [(kind, given_minor - wanted_minor)]

    def test_once_more_is_double_and_other_money_is_over(self) -> None:
        outcome = run([line(-100, "A"), line(-100, "A"), line(-7, "A")], [wanted("a", -100, "A")])
        assert [match.lines for match in outcome.matches] == [(0,)]
        assert kinds(outcome) == [(DifferenceKind.DOUBLE, -100), (DifferenceKind.OVER, -7)]

    def test_back_again_is_returned(self) -> None:
        outcome = run([line(-100, "A"), line(100, "A")], [wanted("a", -100, "A")])
        assert [match.lines for match in outcome.matches] == [(0,)]
        assert outcome.differences == [
            Difference(DifferenceKind.RETURNED, Money(100, "CNY"), DAY, (1,), ("a",))
        ]

    def test_a_reversal_alone_does_not_pay(self) -> None:
        outcome = run([line(-100, "A", is_reversal=True)], [wanted("a", -100, "A")])
        assert outcome.matches == []
        assert kinds(outcome) == [(DifferenceKind.RETURNED, -100), (DifferenceKind.MISSING, 100)]

    def test_another_currency_explains_the_expectation(self) -> None:
        outcome = run([line(-100, "A", currency="USD")], [wanted("a", -100, "A")])
        assert [(one.kind, str(one.amount.currency), one.expected) for one in outcome.differences] == [
            (DifferenceKind.WRONG_CURRENCY, "USD", ("a",)),
            (DifferenceKind.WRONG_CURRENCY, "CNY", ("a",)),
        ]

    def test_late_and_to_another_account(self) -> None:
        late = line(-100, "A", on=DAY + timedelta(days=4), counterparty_account="62 99")
        outcome = run([late], [wanted("a", -100, "A", counterparty_account="6211")])
        assert [one.kind for one in outcome.differences] == [
            DifferenceKind.LATE,
            DifferenceKind.WRONG_ACCOUNT,
        ]
        assert outcome.differences[0].since == DAY


class TestWithoutReferences:
    def test_a_batch(self) -> None:
        expected = [
            wanted("a", -60, "A", batch_reference="P-1"),
            wanted("b", -40, "B", batch_reference="P-1"),
        ]
        assert run([line(-100, batch_reference="P1")], expected).matches == [
            Match((0,), ("a", "b"), Rule.COLLECTED)
        ]
        left = run([line(-40, "P-1"), line(-60, "A")], expected)
        assert [match.expected for match in left.matches] == [("a",), ("b",)]

    def test_account_amount_and_time(self) -> None:
        lines = [line(-100, counterparty_account="6211"), line(-100, counterparty_account="6211")]
        expected = [
            wanted("a", -100, counterparty_account="62-11"),
            wanted("b", -100, counterparty_account="6211"),
        ]
        assert [match.rule for match in run(lines, expected).matches] == [Rule.ACCOUNT, Rule.ACCOUNT]
        assert run(lines[:1], expected).matches == [], "which of the two is not known"
        far = [replace(lines[0], booked_on=DAY + timedelta(days=9))]
        assert run(far, expected[:1]).matches == []

    def test_a_reference_that_nobody_knows_is_suggested(self) -> None:
        outcome = run(
            [line(-100, "X9", counterparty_account="6211")],
            [wanted("a", -100, "A", counterparty_account="6211")],
        )
        assert outcome.matches == []
        assert outcome.suggestions == [Suggestion((0,), ("a",), 90)]
        assert kinds(outcome) == [(DifferenceKind.WRONG_REFERENCE, 0)]

    def test_name_sum_and_amount_are_suggested_and_stay_named(self) -> None:
        by_name = run([line(50, counterparty="张 三")], [wanted("a", 50, counterparty="张三")])
        by_amount = run([line(50)], [wanted("a", 50)])
        collected = run(
            [line(100, counterparty="李四")],
            [
                wanted("a", 60, counterparty="李四"),
                wanted("b", 40, counterparty="李四"),
                wanted("c", 1, counterparty="李四"),
            ],
        )
        parts = run(
            [line(30, counterparty="李四"), line(70, counterparty="李四")],
            [wanted("a", 100, counterparty="李四")],
        )
        assert by_name.suggestions == [Suggestion((0,), ("a",), 80)]
        assert by_amount.suggestions == [Suggestion((0,), ("a",), 50)]
        assert collected.suggestions == [Suggestion((0,), ("a", "b"), 60)]
        assert parts.suggestions == [Suggestion((0, 1), ("a",), 60)]
        assert kinds(by_name) == [(DifferenceKind.UNKNOWN, 50), (DifferenceKind.MISSING, -50)]

    def test_what_stays_has_a_name(self) -> None:
        lines = [line(-5, text="账户管理手续费"), line(7, is_reversal=True), line(9), line(-3, code="NCHG")]
        outcome = run(lines, [wanted("a", -100), wanted("b", 200)])
        assert sorted(kinds(outcome)) == sorted([
            (DifferenceKind.FEE, -5), (DifferenceKind.FEE, -3), (DifferenceKind.RETURNED, 7),
            (DifferenceKind.UNKNOWN, 9), (DifferenceKind.MISSING, 100), (DifferenceKind.MISSING, -200),
        ])  # fmt: skip

    def test_what_may_still_come_is_open(self) -> None:
        outcome = run([], [wanted("a", -100)], on=DAY + timedelta(days=3))
        assert outcome == Outcome(open_expected=["a"])

    def test_what_is_not_booked_counts_nothing(self) -> None:
        assert run([line(-100, "A", is_booked=False)], []) == Outcome()


def test_two_of_one_id_are_refused() -> None:
    with pytest.raises(ReconciliationError, match="same id"):
        run([], [wanted("a", 1), wanted("a", 2)])
    with pytest.raises(ReconciliationError, match="nothing is expected"):
        wanted("a", 0)
    with pytest.raises(ReconciliationError, match="has an id"):
        wanted("", 1)


@given(st.lists(st.integers(-50, 50), max_size=9), st.integers(-100, 100))
def test_sums_are_found_where_there_are_any(amounts: list[int], total: int) -> None:
    """Against every subset."""
    every = [
        [place for place in range(len(amounts)) if mask >> place & 1] for mask in range(1 << len(amounts))
    ]
    right = [
        some
        for some in every
        if len(some) >= 2 and all(amounts[place] for place in some) and sum(amounts[p] for p in some) == total
    ]
    found = that_sum_to(total, amounts)
    if not right:
        assert found is None
    else:
        assert found is not None
        assert sorted(found) in right
        assert len(found) == min(map(len, right))


REFERENCES = st.sampled_from(["", "A", "B", "C"])
LINES = st.builds(
    line,
    st.integers(-4, 4).filter(bool),
    REFERENCES,
    on=st.dates(DAY - timedelta(days=3), DAY + timedelta(days=8)),
    currency=st.sampled_from(["CNY", "USD"]),
    counterparty_account=st.sampled_from(["", "1", "2"]),
    text=st.sampled_from(["", "A", "A B", "手续费"]),
    is_reversal=st.booleans(),
)
EXPECTED = st.lists(
    st.tuples(
        st.integers(-4, 4).filter(bool),
        REFERENCES,
        st.sampled_from(["", "1", "2"]),
        st.sampled_from(["", "B"]),
    ),
    max_size=8,
).map(
    lambda rows: [
        wanted(str(place), amount, reference, counterparty_account=account, batch_reference=batch)
        for place, (amount, reference, account, batch) in enumerate(rows)
    ]
)


@given(st.lists(LINES, max_size=8), EXPECTED)
def test_everything_is_matched_once_or_named_and_the_day_adds_up(
    lines: list[BankLine], expected: list[Expected]
) -> None:
    outcome = run(lines, expected)
    matched = [place for match in outcome.matches for place in match.lines]
    settled = [one for match in outcome.matches for one in match.expected]
    assert len(set(matched)) == len(matched)
    assert len(set(settled)) == len(settled)
    named_lines = {place for one in outcome.differences for place in one.lines}
    named = {id_ for one in outcome.differences for id_ in one.expected}
    assert set(matched) | named_lines == set(range(len(lines)))
    assert set(settled) | named == {one.expected_id for one in expected}
    for currency in ("CNY", "USD"):
        more = sum(one.amount.amount_minor for one in lines if one.amount.currency == currency)
        more -= sum(one.amount.amount_minor for one in expected if one.amount.currency == currency)
        told = (one.amount for one in outcome.differences)
        assert more == sum(amount.amount_minor for amount in told if amount.currency == currency)


@pytest.mark.parametrize("seed", range(3))
def test_a_day_with_faults_of_every_kind(seed: int) -> None:
    day = bank_day(600, 5 * len(DifferenceKind), Random(seed))
    (statement,) = read_camt053(io.BytesIO(day.statement))
    outcome = reconcile(statement.lines, day.expected, Options(), on=LATER)
    for match in outcome.matches:
        assert set(match.expected) == {one for place in match.lines for one in day.truth[place]}
    named = {(one.kind, one.expected[0] if one.expected else one.lines[0]) for one in outcome.differences}
    assert named == day.faults
