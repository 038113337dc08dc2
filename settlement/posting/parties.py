"""Postings of a party's own money: payouts, compensation, debts, tax, and what the platform brings in."""

from __future__ import annotations

from settlement.errors import PostingError
from settlement.ledger import JournalEntry, Purpose
from settlement.money import Money
from settlement.posting.draft import Chart, Draft, Header, positive
from settlement.posting.table import PostingKind


def payout_prepared(chart: Chart, header: Header, party_id: int, amount: Money) -> JournalEntry:
    """Set an amount aside for a payout.

    Raises:
        PostingError: the amount is not positive.
    """
    return _move(
        chart, header, PostingKind.PAYOUT_PREPARED, party_id, amount, (Purpose.AVAILABLE, Purpose.IN_PAYOUT)
    )


def payout_bounced(chart: Chart, header: Header, party_id: int, amount: Money) -> JournalEntry:
    """An item was refused, or its batch cancelled, before payment: available again.

    Raises:
        PostingError: the amount is not positive.
    """
    return _move(
        chart, header, PostingKind.PAYOUT_BOUNCED, party_id, amount, (Purpose.IN_PAYOUT, Purpose.AVAILABLE)
    )


def payout_paid(chart: Chart, header: Header, party_id: int, amount: Money) -> JournalEntry:
    """The bank has paid an item; the platform's own item arrives in its own bank account.

    Raises:
        PostingError: the amount is not positive.
    """
    draft = Draft(chart, amount.currency)
    draft.debit(Purpose.IN_PAYOUT, party_id, positive("amount", amount))
    draft.credit(Purpose.CUSTODY, None, amount)
    if party_id == chart.platform_party_id:
        draft.platform_gains(Purpose.OWN_BANK, -amount, party_id)
    return draft.entry(PostingKind.PAYOUT_PAID, header)


def payout_returned(chart: Chart, header: Header, party_id: int, amount: Money) -> JournalEntry:
    """A paid item came back to the custody account: available again.

    Raises:
        PostingError: the amount is not positive.
    """
    draft = Draft(chart, amount.currency)
    draft.debit(Purpose.CUSTODY, None, positive("amount", amount))
    draft.credit(Purpose.AVAILABLE, party_id, amount)
    if party_id == chart.platform_party_id:
        draft.platform_gains(Purpose.OWN_BANK, amount, party_id)
    return draft.entry(PostingKind.PAYOUT_RETURNED, header)


def compensation_awarded(
    chart: Chart, header: Header, amount: Money, bearer_id: int, bearer_available: Money, claimant_id: int
) -> JournalEntry:
    """Award a claim: the bearer pays, the claimant's balance becomes available to it.

    Args:
        bearer_id: who bears it by the scan chain; the platform books an expense.
        bearer_available: what is available to the bearer now; what is missing becomes its debt.
        claimant_id: who is compensated.

    Raises:
        PostingError: the amount is not positive, bearer and claimant are one, or the claimant is the
            platform.
    """
    if bearer_id == claimant_id:
        raise PostingError(f"party {bearer_id} cannot compensate itself")
    if claimant_id == chart.platform_party_id:
        raise PostingError("the platform is no claimant: what a party owes it is a debt")
    draft = Draft(chart, amount.currency)
    draft.take_available(
        bearer_id, positive("amount", amount), bearer_available, Purpose.COMPENSATION_EXPENSE
    )
    draft.credit(Purpose.AVAILABLE, claimant_id, amount)
    return draft.entry(PostingKind.COMPENSATION_AWARDED, header)


def debt_recovered(chart: Chart, header: Header, party_id: int, amount: Money) -> JournalEntry:
    """Net a party's debt from what has become available to it.

    Raises:
        PostingError: the amount is not positive, or the party is the platform.
    """
    if party_id == chart.platform_party_id:
        raise PostingError("the platform owes itself nothing")
    draft = Draft(chart, amount.currency)
    draft.debit(Purpose.AVAILABLE, party_id, positive("amount", amount))
    draft.credit(Purpose.AVAILABLE, chart.platform_party_id, amount)
    draft.platform_gains(Purpose.PARTY_DEBT, amount, party_id)
    return draft.entry(PostingKind.DEBT_RECOVERED, header)


def custody_topped_up(chart: Chart, header: Header, amount: Money) -> JournalEntry:
    """The platform brings own money into the custody account.

    Raises:
        PostingError: the amount is not positive.
    """
    draft = Draft(chart, amount.currency)
    draft.debit(Purpose.CUSTODY, None, positive("amount", amount))
    draft.credit(Purpose.AVAILABLE, chart.platform_party_id, amount)
    draft.platform_gains(Purpose.OWN_BANK, amount, chart.platform_party_id)
    return draft.entry(PostingKind.CUSTODY_TOPPED_UP, header)


def tax_withheld(chart: Chart, header: Header, party_id: int, amount: Money) -> JournalEntry:
    """Withhold tax from what is available to a party.

    Raises:
        PostingError: the amount is not positive, or the party is the platform, whose tax is its own affair.
    """
    if party_id == chart.platform_party_id:
        raise PostingError("nothing is withheld from the platform itself")
    draft = Draft(chart, amount.currency)
    draft.debit(Purpose.AVAILABLE, party_id, positive("amount", amount))
    draft.credit(Purpose.TAX, None, amount)
    return draft.entry(PostingKind.TAX_WITHHELD, header)


def tax_remitted(chart: Chart, header: Header, amount: Money) -> JournalEntry:
    """Pay withheld tax to the tax office out of custody.

    Raises:
        PostingError: the amount is not positive.
    """
    draft = Draft(chart, amount.currency)
    draft.debit(Purpose.TAX, None, positive("amount", amount))
    draft.credit(Purpose.CUSTODY, None, amount)
    return draft.entry(PostingKind.TAX_REMITTED, header)


def _move(
    chart: Chart,
    header: Header,
    kind: PostingKind,
    party_id: int,
    amount: Money,
    from_to: tuple[Purpose, Purpose],
) -> JournalEntry:
    draft = Draft(chart, amount.currency)
    draft.debit(from_to[0], party_id, positive("amount", amount))
    draft.credit(from_to[1], party_id, amount)
    return draft.entry(kind, header)
