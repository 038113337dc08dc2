import csv
import io

import pytest

from settlement.errors import ApprovalError, PayoutError, PayoutTransitionError
from settlement.ledger import AccountKey, Purpose
from settlement.money import Money
from settlement.payout import (
    BATCH_TRANSITIONS,
    ITEM_TRANSITIONS,
    BatchEvent,
    BatchState,
    Beneficiary,
    Hold,
    HoldReason,
    ItemEvent,
    ItemState,
    PayoutBatch,
    PayoutItem,
    next_batch_state,
    next_item_state,
    payable,
    payout_csv,
    recoverable,
)

MAKER, CHECKER = 11, 12


def yuan(minor):
    return Money(minor, "CNY")


def batch(*items):
    return PayoutBatch("B1", "CNY", items or (PayoutItem(2, yuan(500)), PayoutItem(3, yuan(700))))


def at_bank(*items):
    return batch(*items).prepare(MAKER).approve(CHECKER).export()


BATCH_TABLE = """
            prepare   approve   export    settle   cancel
draft       prepared  -         -         -        cancelled
prepared    -         approved  -         -        cancelled
approved    -         -         exported  -        cancelled
exported    -         -         -         settled  -
settled     -         -         -         -        -
cancelled   -         -         -         -        -
"""
ITEM_TABLE = """
            pay   bounce   return
open        paid  bounced  -
paid        -     -        returned
bounced     -     -        -
returned    -     -        -
"""


def cells(table):
    events, *rows = [line.split() for line in table.strip().splitlines()]
    return [(row[0], event, to) for row in rows for event, to in zip(events, row[1:], strict=True)]


@pytest.mark.parametrize(("state", "event", "to"), cells(BATCH_TABLE))
def test_every_batch_state_and_event(state, event, to):
    if to == "-":
        with pytest.raises(PayoutTransitionError):
            next_batch_state(BatchState(state), BatchEvent(event))
    else:
        assert next_batch_state(BatchState(state), BatchEvent(event)) is BatchState(to)


@pytest.mark.parametrize(("state", "event", "to"), cells(ITEM_TABLE))
def test_every_item_state_and_event(state, event, to):
    if to == "-":
        with pytest.raises(PayoutTransitionError):
            next_item_state(ItemState(state), ItemEvent(event))
    else:
        assert next_item_state(ItemState(state), ItemEvent(event)) is ItemState(to)


def test_the_tables_here_are_complete():
    assert len(cells(BATCH_TABLE)) == len(BatchState) * len(BatchEvent)
    assert len(cells(ITEM_TABLE)) == len(ItemState) * len(ItemEvent)
    assert len(BATCH_TRANSITIONS) == sum(to != "-" for _, _, to in cells(BATCH_TABLE))
    assert len(ITEM_TRANSITIONS) == sum(to != "-" for _, _, to in cells(ITEM_TABLE))


def test_maker_and_checker_are_two_people():
    prepared = batch().prepare(MAKER)
    with pytest.raises(ApprovalError):
        prepared.approve(MAKER)
    approved = prepared.approve(CHECKER)
    assert (approved.state, approved.maker_id, approved.checker_id) == (BatchState.APPROVED, MAKER, CHECKER)
    with pytest.raises(ApprovalError):
        PayoutBatch("B1", "CNY", batch().items, maker_id=MAKER, checker_id=MAKER)


def test_the_bank_s_last_report_settles_the_batch():
    exported = at_bank()
    half = exported.report(2, ItemEvent.PAY)
    assert half.state is BatchState.EXPORTED
    done = half.report(3, ItemEvent.BOUNCE)
    assert done.state is BatchState.SETTLED
    assert [item.state for item in done.items] == [ItemState.PAID, ItemState.BOUNCED]
    back = done.report(2, ItemEvent.RETURN)
    assert (back.state, back.items[0].state) == (BatchState.SETTLED, ItemState.RETURNED)
    for party, event in ((2, ItemEvent.PAY), (3, ItemEvent.PAY), (3, ItemEvent.RETURN)):
        with pytest.raises(PayoutTransitionError):
            back.report(party, event)
    with pytest.raises(PayoutError, match="party 4"):
        exported.report(4, ItemEvent.PAY)
    for early in (batch(), batch().prepare(MAKER), batch().prepare(MAKER).approve(CHECKER), batch().cancel()):
        with pytest.raises(PayoutTransitionError):
            early.report(2, ItemEvent.PAY)


def test_batches_that_cannot_be():
    with pytest.raises(PayoutError, match="no items"):
        PayoutBatch("B1", "CNY", ())
    with pytest.raises(PayoutError, match="twice"):
        batch(PayoutItem(2, yuan(5)), PayoutItem(2, yuan(6)))
    with pytest.raises(PayoutError, match="CNY"):
        batch(PayoutItem(2, Money(5, "USD")))
    with pytest.raises(PayoutError, match="positive"):
        PayoutItem(2, yuan(0))
    with pytest.raises(PayoutError, match="positive"):
        Hold(2, yuan(0), HoldReason.MANUAL)
    assert batch().total == yuan(1200)


def balances(**purposes):
    return {
        AccountKey(1, party, Purpose(purpose), "CNY"): minor
        for purpose, parties in purposes.items()
        for party, minor in parties.items()
    }


def test_payable_is_available_less_debts_and_holds_from_the_threshold():
    book = balances(
        available={1: 300, 2: -500, 3: -1000, 4: -99, 5: -100, 6: -800},
        party_debt={3: 400, 7: 50},
        held={8: -9000},
        in_payout={5: -9000},
    )
    book[AccountKey(1, 2, Purpose.AVAILABLE, "USD")] = -7777
    holds = [Hold(6, yuan(750), HoldReason.OPEN_CLAIM), Hold(2, Money(400, "USD"), HoldReason.MANUAL)]
    assert payable(book, holds, yuan(100)) == (
        PayoutItem(2, yuan(500)),
        PayoutItem(3, yuan(600)),
        PayoutItem(5, yuan(100)),
    )
    assert [item.party_id for item in payable(book, holds, yuan(0))] == [2, 3, 4, 5, 6]
    assert payable({}, [], yuan(0)) == ()


def test_recoverable_is_what_a_debtor_has():
    book = balances(available={3: -1000, 4: -30}, party_debt={3: 400, 4: 50, 7: 50, 8: 0})
    assert recoverable(book, "CNY") == {3: yuan(400), 4: yuan(30)}


def test_csv_is_deterministic_and_runs_nothing():
    hostile = ["=1+1", "+86", "-2", "@SUM(A1)", "\t=1", " =1", "＝1", "\r\n=1", 'He said "no", then']
    items = [
        PayoutItem(party, yuan(party * 100 + 5), Beneficiary(name, "0062", "102"))
        for party, name in enumerate(hostile, start=2)
    ]
    text = payout_csv(at_bank(*items))
    assert payout_csv(at_bank(*reversed(items))) == text
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["beneficiary_name"] for row in rows] == [f"'{name}" for name in hostile[:-1]] + [hostile[-1]]
    assert {(row["account_number"], row["bank_code"], row["currency"]) for row in rows} == {
        ("0062", "102", "CNY")
    }
    assert [row["amount"] for row in rows][:2] == ["2.05", "3.05"]


def test_only_what_is_approved_is_exported_as_csv():
    with pytest.raises(PayoutError, match="approved"):
        payout_csv(batch().prepare(MAKER))
    assert payout_csv(batch().prepare(MAKER).approve(CHECKER)).count("\r\n") == 3
