"""Postings of an order's money: held, paid, raised, released, refunded, and cash collected at the door."""

from __future__ import annotations

from collections.abc import Mapping

from settlement.errors import PostingError
from settlement.ledger import Entry, EvidenceRef, JournalEntry, Purpose
from settlement.money import Money, total_of
from settlement.posting.draft import Chart, Draft, Header, currency_of, positive
from settlement.posting.table import PostingKind
from settlement.split.values import Split


def order_placed_split_held(
    chart: Chart, header: Header, split: Split, payer_id: int, funding: Purpose = Purpose.CUSTOMER_RECEIVABLE
) -> JournalEntry:
    """Book an order: the money, or the claim to it, against each party's held share.

    Args:
        payer_id: the party that owes or has paid the order.
        funding: CUSTOMER_RECEIVABLE while it is owed, CHANNEL_CLEARING once a channel has confirmed it,
            CUSTODY once it is in the bank.

    Raises:
        PostingError: the order's total is zero, or the funding is none of the three.
    """
    draft = Draft(chart, split.total.currency)
    draft.debit(funding, _funding_party(funding, payer_id), positive("total", split.total))
    for share in split.shares:
        draft.credit(Purpose.HELD, share.party_id, share.amount)
    return draft.entry(PostingKind.ORDER_PLACED_SPLIT_HELD, header)


def paid(
    chart: Chart, header: Header, payer_id: int, amount: Money, into: Purpose = Purpose.CHANNEL_CLEARING
) -> JournalEntry:
    """The payer has paid: confirmed by a channel (CHANNEL_CLEARING) or arrived in the bank (CUSTODY).

    Raises:
        PostingError: the amount is not positive, or the money cannot arrive there.
    """
    if into not in (Purpose.CHANNEL_CLEARING, Purpose.CUSTODY):
        raise PostingError(f"a payment arrives in channel clearing or custody, not in {into.value}")
    draft = Draft(chart, amount.currency)
    draft.debit(into, None, positive("amount", amount))
    draft.credit(Purpose.CUSTOMER_RECEIVABLE, payer_id, amount)
    return draft.entry(PostingKind.PAID, header)


def channel_settled(chart: Chart, header: Header, amount: Money) -> JournalEntry:
    """A channel hands what it confirmed to the custody account.

    Raises:
        PostingError: the amount is not positive.
    """
    draft = Draft(chart, amount.currency)
    draft.debit(Purpose.CUSTODY, None, positive("amount", amount))
    draft.credit(Purpose.CHANNEL_CLEARING, None, amount)
    return draft.entry(PostingKind.CHANNEL_SETTLED, header)


def receipt_released(chart: Chart, header: Header, parts: Mapping[int, Money]) -> JournalEntry:
    """Receipt is confirmed: each party's part of the order goes from held to available.

    The platform's part is earned now and becomes its revenue in its own book. While the payer still owes the
    order, the caller keeps a hold on these parts (`settlement.payout.Hold`), or custody would pay them out of
    other parties' money.

    Args:
        parts: party -> what is still held for it of this order (`Split.by_party` when nothing was refunded).
    """
    draft = Draft(chart, currency_of(parts))
    for party_id, part in parts.items():
        draft.debit(Purpose.HELD, party_id, part)
        draft.credit(Purpose.AVAILABLE, party_id, part)
        if party_id == chart.platform_party_id:
            draft.platform_gains(Purpose.PLATFORM_REVENUE, part, party_id)
    return draft.entry(PostingKind.RECEIPT_RELEASED, header)


def refunded_before_release(
    chart: Chart, header: Header, parts: Mapping[int, Money], payer_id: int, back_to: Purpose
) -> JournalEntry:
    """Give money back out of held shares.

    Args:
        parts: party -> its part of the refund (`settlement.split.refund_parts`).
        payer_id: who gets it back.
        back_to: CUSTOMER_RECEIVABLE when the payer had not paid yet (he owes less), CHANNEL_CLEARING when the
            channel pays it back, CUSTODY when the bank does.

    Raises:
        PostingError: the refund is not positive, or money cannot go back that way.
    """
    currency = currency_of(parts)
    draft = Draft(chart, currency)
    for party_id, part in parts.items():
        draft.debit(Purpose.HELD, party_id, part)
    refund = positive("refund", total_of(parts.values(), currency))
    draft.credit(back_to, _funding_party(back_to, payer_id), refund)
    return draft.entry(PostingKind.REFUNDED_BEFORE_RELEASE, header)


def refunded_after_release(
    chart: Chart,
    header: Header,
    parts: Mapping[int, Money],
    available: Mapping[int, Money],
    payer_id: int,
    back_to: Purpose,
) -> JournalEntry:
    """Give money back after the shares became available, perhaps after they were paid out.

    A party that no longer has its part owes it: the platform advances it and books a debt.

    Args:
        parts: party -> its part of the refund; none negative.
        available: party -> what is available to it now; a party left out has nothing.
        payer_id: who gets it back.
        back_to: as for a refund before release.

    Raises:
        PostingError: a part is negative, the refund is not positive, or money cannot go back that way.
    """
    currency = currency_of(parts)
    nothing = Money(0, currency)
    draft = Draft(chart, currency)
    for party_id, part in parts.items():
        if part < nothing:
            raise PostingError(f"party {party_id}: a part of a refund is not negative")
        draft.take_available(party_id, part, available.get(party_id, nothing), Purpose.PLATFORM_REVENUE)
    refund = positive("refund", total_of(parts.values(), currency))
    draft.credit(back_to, _funding_party(back_to, payer_id), refund)
    return draft.entry(PostingKind.REFUNDED_AFTER_RELEASE, header)


def surcharged(chart: Chart, header: Header, parts: Mapping[int, Money], payer_id: int) -> JournalEntry:
    """Raise the price of a held order: the payer owes the rise, the shares come to their new targets.

    Args:
        parts: party -> what its held share changes by (`settlement.split.still_to_post`).
        payer_id: who has accepted the rise.

    Raises:
        PostingError: the parts do not sum to a positive rise.
    """
    currency = currency_of(parts)
    draft = Draft(chart, currency)
    rise = positive("rise", total_of(parts.values(), currency))
    draft.debit(Purpose.CUSTOMER_RECEIVABLE, payer_id, rise)
    for party_id, part in parts.items():
        draft.credit(Purpose.HELD, party_id, part)
    return draft.entry(PostingKind.SURCHARGED, header)


def surcharge_collected(
    chart: Chart, header: Header, collector_id: int, payer_id: int, amount: Money
) -> JournalEntry:
    """A part of the price is collected at the door: the collector owes it, the payer no longer does.

    Raises:
        PostingError: the amount is not positive.
    """
    draft = Draft(chart, amount.currency)
    draft.debit(Purpose.COD_OWED, collector_id, positive("amount", amount))
    draft.credit(Purpose.CUSTOMER_RECEIVABLE, payer_id, amount)
    return draft.entry(PostingKind.SURCHARGE_COLLECTED, header)


def cod_collected(
    chart: Chart, header: Header, collector_id: int, shipper_id: int, amount: Money
) -> JournalEntry:
    """Cash is collected on delivery: the collector owes it, the shipper is owed it.

    Raises:
        PostingError: the amount is not positive.
    """
    draft = Draft(chart, amount.currency)
    draft.debit(Purpose.COD_OWED, collector_id, positive("amount", amount))
    draft.credit(Purpose.COD_PAYABLE, shipper_id, amount)
    return draft.entry(PostingKind.COD_COLLECTED, header)


def cod_deposited(chart: Chart, header: Header, collector_id: int, amount: Money) -> JournalEntry:
    """The collector deposits collected cash in the custody account.

    Raises:
        PostingError: the amount is not positive.
    """
    draft = Draft(chart, amount.currency)
    draft.debit(Purpose.CUSTODY, None, positive("amount", amount))
    draft.credit(Purpose.COD_OWED, collector_id, amount)
    return draft.entry(PostingKind.COD_DEPOSITED, header)


def cod_remitted(chart: Chart, header: Header, shipper_id: int, amount: Money, fee: Money) -> JournalEntry:
    """Deposited cash becomes available to the shipper, net of the platform's fee.

    Args:
        amount: what was collected and deposited.
        fee: the platform's, from zero to the amount.

    Raises:
        PostingError: the amount is not positive, or the fee is outside its range.
    """
    positive("amount", amount)
    if not 0 <= fee.amount_minor <= amount.amount_minor:
        raise PostingError(f"fee: from zero to {amount.decimal_text()}, not {fee.decimal_text()}")
    draft = Draft(chart, amount.currency)
    draft.debit(Purpose.COD_PAYABLE, shipper_id, amount)
    draft.credit(Purpose.AVAILABLE, shipper_id, amount - fee)
    draft.credit(Purpose.AVAILABLE, chart.platform_party_id, fee)
    draft.platform_gains(Purpose.PLATFORM_REVENUE, fee, chart.platform_party_id)
    return draft.entry(PostingKind.COD_REMITTED, header)


def reversal(original: JournalEntry, header: Header) -> JournalEntry:
    """Undo a mistaken entry by its mirror image.

    The entry id is made from the original's, so that the ledger's idempotency lets it happen once only.

    Args:
        header: its moment and evidence; its entry id is ignored in favour of the derived one.

    Raises:
        PostingError: the original is itself a reversal; the fact is posted anew instead.
    """
    if original.kind == PostingKind.REVERSAL:
        raise PostingError(f"entry {original.entry_id} is a reversal; post the fact anew")
    return JournalEntry(
        entry_id=f"reversal:{original.entry_id}",
        kind=PostingKind.REVERSAL.value,
        effective_at=header.effective_at,
        entries=tuple(Entry(line.account, -line.amount_minor) for line in original.entries),
        evidence=(EvidenceRef("journal_entry", original.entry_id), *header.evidence),
    )


def _funding_party(funding: Purpose, payer_id: int) -> int | None:
    if funding is Purpose.CUSTOMER_RECEIVABLE:
        return payer_id
    if funding in (Purpose.CHANNEL_CLEARING, Purpose.CUSTODY):
        return None
    raise PostingError(f"{funding.value} neither funds an order nor takes a refund")
