from datetime import UTC, datetime

import pytest

from settlement import posting
from settlement.errors import CurrencyMismatchError, EntryConflictError, PostingError, UnbalancedEntryError
from settlement.ledger import EvidenceRef, Ledger, Purpose
from settlement.money import Money
from settlement.posting import POSTINGS, Chart, Header, PostingKind
from settlement.split import split

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
CHART = Chart(tenant_id=1, platform_party_id=1)
PLATFORM, OUTLET, HUB, PAYER = 1, 2, 3, 9
P = Purpose


def yuan(minor):
    return Money(minor, "CNY")


def head(entry_id="e"):
    return Header(entry_id, NOW, (EvidenceRef("order", "A1"),))


def lines(entry):
    return {(line.account.purpose.value, line.account.party_id): line.amount_minor for line in entry.entries}


PARTS = {PLATFORM: yuan(30), OUTLET: yuan(70)}
ENTRIES = {
    "paid": (
        lambda: posting.paid(CHART, head(), PAYER, yuan(100)),
        {("channel_clearing", None): 100, ("customer_receivable", 9): -100},
    ),
    "paid by transfer": (
        lambda: posting.paid(CHART, head(), PAYER, yuan(100), P.CUSTODY),
        {("custody", None): 100, ("customer_receivable", 9): -100},
    ),
    "channel_settled": (
        lambda: posting.channel_settled(CHART, head(), yuan(100)),
        {("custody", None): 100, ("channel_clearing", None): -100},
    ),
    "receipt_released": (
        lambda: posting.receipt_released(CHART, head(), PARTS),
        {("held", 1): 30, ("available", 1): -30, ("held", 2): 70, ("available", 2): -70,
         ("platform_claim", 1): 30, ("platform_revenue", 1): -30},
    ),
    "refund before release, owed": (
        lambda: posting.refunded_before_release(CHART, head(), PARTS, PAYER, P.CUSTOMER_RECEIVABLE),
        {("held", 1): 30, ("held", 2): 70, ("customer_receivable", 9): -100},
    ),
    "refund before release, paid": (
        lambda: posting.refunded_before_release(CHART, head(), PARTS, PAYER, P.CUSTODY),
        {("held", 1): 30, ("held", 2): 70, ("custody", None): -100},
    ),
    "refund after release": (
        lambda: posting.refunded_after_release(CHART, head(), PARTS, {OUTLET: yuan(70)}, PAYER, P.CUSTODY),
        {("available", 1): 30, ("available", 2): 70, ("custody", None): -100,
         ("platform_revenue", 1): 30, ("platform_claim", 1): -30},
    ),
    "refund after payout": (
        lambda: posting.refunded_after_release(CHART, head(), PARTS, {OUTLET: yuan(20)}, PAYER, P.CUSTODY),
        {("available", 1): 80, ("available", 2): 20, ("custody", None): -100,
         ("platform_revenue", 1): 30, ("party_debt", 2): 50, ("platform_claim", 1): -80},
    ),
    "surcharged, one share down": (
        lambda: posting.surcharged(
            CHART, head(), {PLATFORM: yuan(20), OUTLET: yuan(-50), HUB: yuan(130)}, PAYER
        ),
        {("customer_receivable", 9): 100, ("held", 1): -20, ("held", 2): 50, ("held", 3): -130},
    ),
    "surcharge_collected": (
        lambda: posting.surcharge_collected(CHART, head(), OUTLET, PAYER, yuan(100)),
        {("cod_owed", 2): 100, ("customer_receivable", 9): -100},
    ),
    "cod_collected": (
        lambda: posting.cod_collected(CHART, head(), OUTLET, PAYER, yuan(100)),
        {("cod_owed", 2): 100, ("cod_payable", 9): -100},
    ),
    "cod_deposited": (
        lambda: posting.cod_deposited(CHART, head(), OUTLET, yuan(100)),
        {("custody", None): 100, ("cod_owed", 2): -100},
    ),
    "cod_remitted": (
        lambda: posting.cod_remitted(CHART, head(), PAYER, yuan(100), yuan(3)),
        {("cod_payable", 9): 100, ("available", 9): -97, ("available", 1): -3,
         ("platform_claim", 1): 3, ("platform_revenue", 1): -3},
    ),
    "payout_prepared": (
        lambda: posting.payout_prepared(CHART, head(), OUTLET, yuan(70)),
        {("available", 2): 70, ("in_payout", 2): -70},
    ),
    "payout_bounced": (
        lambda: posting.payout_bounced(CHART, head(), OUTLET, yuan(70)),
        {("in_payout", 2): 70, ("available", 2): -70},
    ),
    "payout_paid": (
        lambda: posting.payout_paid(CHART, head(), OUTLET, yuan(70)),
        {("in_payout", 2): 70, ("custody", None): -70},
    ),
    "payout_paid to the platform": (
        lambda: posting.payout_paid(CHART, head(), PLATFORM, yuan(30)),
        {("in_payout", 1): 30, ("custody", None): -30, ("own_bank", 1): 30, ("platform_claim", 1): -30},
    ),
    "payout_returned": (
        lambda: posting.payout_returned(CHART, head(), OUTLET, yuan(70)),
        {("custody", None): 70, ("available", 2): -70},
    ),
    "payout_returned to the platform": (
        lambda: posting.payout_returned(CHART, head(), PLATFORM, yuan(30)),
        {("custody", None): 30, ("available", 1): -30, ("own_bank", 1): -30, ("platform_claim", 1): 30},
    ),
    "compensation out of available": (
        lambda: posting.compensation_awarded(CHART, head(), yuan(50), OUTLET, yuan(70), PAYER),
        {("available", 2): 50, ("available", 9): -50},
    ),
    "compensation beyond available": (
        lambda: posting.compensation_awarded(CHART, head(), yuan(50), OUTLET, yuan(20), PAYER),
        {("available", 2): 20, ("available", 1): 30, ("available", 9): -50,
         ("party_debt", 2): 30, ("platform_claim", 1): -30},
    ),
    "compensation with nothing available": (
        lambda: posting.compensation_awarded(CHART, head(), yuan(50), OUTLET, yuan(-5), PAYER),
        {("available", 1): 50, ("available", 9): -50, ("party_debt", 2): 50, ("platform_claim", 1): -50},
    ),
    "compensation borne by the platform": (
        lambda: posting.compensation_awarded(CHART, head(), yuan(50), PLATFORM, yuan(0), PAYER),
        {("available", 1): 50, ("available", 9): -50, ("compensation_expense", 1): 50,
         ("platform_claim", 1): -50},
    ),
    "debt_recovered": (
        lambda: posting.debt_recovered(CHART, head(), OUTLET, yuan(30)),
        {("available", 2): 30, ("available", 1): -30, ("platform_claim", 1): 30, ("party_debt", 2): -30},
    ),
    "custody_topped_up": (
        lambda: posting.custody_topped_up(CHART, head(), yuan(30)),
        {("custody", None): 30, ("available", 1): -30, ("platform_claim", 1): 30, ("own_bank", 1): -30},
    ),
    "tax_withheld": (
        lambda: posting.tax_withheld(CHART, head(), OUTLET, yuan(7)),
        {("available", 2): 7, ("tax", None): -7},
    ),
    "tax_remitted": (
        lambda: posting.tax_remitted(CHART, head(), yuan(7)),
        {("tax", None): 7, ("custody", None): -7},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENTRIES)
def test_each_posting_line_by_line_and_as_the_table_says(name):
    make, expected = ENTRIES[name]
    entry = make()
    assert lines(entry) == expected
    row = POSTINGS[PostingKind(entry.kind)]
    for line in entry.entries:
        assert line.account.purpose in (row.debit if line.amount_minor > 0 else row.credit)


def test_the_table_has_every_kind_and_every_kind_is_tested():
    assert set(POSTINGS) == set(PostingKind)
    assert all(row.name is kind and row.when for kind, row in POSTINGS.items())
    tested = {make().kind for make, _ in ENTRIES.values()}
    assert tested | {"order_placed_split_held", "reversal"} == set(PostingKind)


@pytest.mark.parametrize(
    ("funding", "party"), [(P.CUSTOMER_RECEIVABLE, PAYER), (P.CHANNEL_CLEARING, None), (P.CUSTODY, None)]
)
def test_an_order_is_held_party_by_party(terms, facts, funding, party):
    result = split(terms, facts)
    entry = posting.order_placed_split_held(CHART, head(), result, PAYER, funding)
    assert lines(entry) == {
        (funding.value, party): 2207,
        **{("held", party_id): -amount.amount_minor for party_id, amount in result.by_party().items()},
    }


def test_a_mistake_is_undone_once():
    ledger = Ledger(platform_party_id=PLATFORM)
    original = posting.custody_topped_up(CHART, head("top-up"), yuan(30))
    ledger.apply(original)
    undo = posting.reversal(original, head("ignored"))
    assert undo.entry_id == "reversal:top-up"
    assert undo.evidence[0] == EvidenceRef("journal_entry", "top-up")
    assert ledger.apply(undo)
    assert not ledger.apply(undo)
    assert set(ledger.balances.values()) == {0}
    with pytest.raises(EntryConflictError):
        ledger.apply(posting.reversal(original, Header("again", NOW)))
    with pytest.raises(PostingError, match="is a reversal"):
        posting.reversal(undo, head())


@pytest.mark.parametrize(
    "make",
    [
        lambda: posting.paid(CHART, head(), PAYER, yuan(0)),
        lambda: posting.paid(CHART, head(), PAYER, yuan(5), P.HELD),
        lambda: posting.channel_settled(CHART, head(), yuan(-1)),
        lambda: posting.receipt_released(CHART, head(), {}),
        lambda: posting.refunded_before_release(CHART, head(), PARTS, PAYER, P.AVAILABLE),
        lambda: posting.refunded_before_release(CHART, head(), {OUTLET: yuan(0)}, PAYER, P.CUSTODY),
        lambda: posting.refunded_after_release(CHART, head(), {OUTLET: yuan(-1)}, {}, PAYER, P.CUSTODY),
        lambda: posting.cod_remitted(CHART, head(), PAYER, yuan(5), yuan(6)),
        lambda: posting.cod_remitted(CHART, head(), PAYER, yuan(5), yuan(-1)),
        lambda: posting.surcharged(CHART, head(), {PLATFORM: yuan(30), OUTLET: yuan(-30)}, PAYER),
        lambda: posting.surcharged(CHART, head(), {}, PAYER),
        lambda: posting.surcharge_collected(CHART, head(), OUTLET, PAYER, yuan(0)),
        lambda: posting.payout_prepared(CHART, head(), OUTLET, yuan(0)),
        lambda: posting.compensation_awarded(CHART, head(), yuan(5), OUTLET, yuan(9), OUTLET),
        lambda: posting.compensation_awarded(CHART, head(), yuan(5), OUTLET, yuan(9), PLATFORM),
        lambda: posting.compensation_awarded(CHART, head(), yuan(0), OUTLET, yuan(9), PAYER),
        lambda: posting.debt_recovered(CHART, head(), PLATFORM, yuan(5)),
        lambda: posting.tax_withheld(CHART, head(), PLATFORM, yuan(5)),
    ],
)
def test_facts_without_a_balanced_entry_are_refused(make):
    with pytest.raises(PostingError):
        make()


def test_two_currencies_do_not_meet_in_an_entry():
    with pytest.raises(CurrencyMismatchError):
        posting.receipt_released(CHART, head(), {OUTLET: yuan(5), HUB: Money(5, "USD")})
    with pytest.raises(UnbalancedEntryError, match="two lines"):
        posting.receipt_released(CHART, head(), {OUTLET: yuan(0)})
