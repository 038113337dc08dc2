"""The table of postings: what is debited and credited when; the code is tested against it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from settlement.ledger import Purpose


class PostingKind(StrEnum):
    """The kinds of journal entries there are."""

    ORDER_PLACED_SPLIT_HELD = "order_placed_split_held"
    PAID = "paid"
    CHANNEL_SETTLED = "channel_settled"
    RECEIPT_RELEASED = "receipt_released"
    REFUNDED_BEFORE_RELEASE = "refunded_before_release"
    REFUNDED_AFTER_RELEASE = "refunded_after_release"
    SURCHARGED = "surcharged"
    SURCHARGE_COLLECTED = "surcharge_collected"
    COD_COLLECTED = "cod_collected"
    COD_DEPOSITED = "cod_deposited"
    COD_REMITTED = "cod_remitted"
    PAYOUT_PREPARED = "payout_prepared"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_BOUNCED = "payout_bounced"
    PAYOUT_RETURNED = "payout_returned"
    COMPENSATION_AWARDED = "compensation_awarded"
    DEBT_RECOVERED = "debt_recovered"
    CUSTODY_TOPPED_UP = "custody_topped_up"
    TAX_WITHHELD = "tax_withheld"
    TAX_REMITTED = "tax_remitted"
    REVERSAL = "reversal"


@dataclass(frozen=True, slots=True)
class Posting:
    """One row of the table.

    ``debit`` and ``credit`` are the purposes that may stand on each side in the ordinary direction; a
    negative share (terms that let the remainder pay) turns its own lines round. A reversal has the rows of
    its original, turned round, so both are empty.
    """

    name: PostingKind
    when: str
    debit: frozenset[Purpose]
    credit: frozenset[Purpose]


P = Purpose


def _row(
    kind: PostingKind, when: str, debit: set[Purpose], credit: set[Purpose]
) -> tuple[PostingKind, Posting]:
    return kind, Posting(kind, when, frozenset(debit), frozenset(credit))


_FUNDING = {P.CUSTOMER_RECEIVABLE, P.CHANNEL_CLEARING, P.CUSTODY}

POSTINGS: dict[PostingKind, Posting] = dict(
    [
        _row(
            PostingKind.ORDER_PLACED_SPLIT_HELD,
            "The order is booked: the payer owes it (or has paid), each party's share is held.",
            _FUNDING,
            {P.HELD},
        ),
        _row(
            PostingKind.PAID,
            "The channel confirms the payment, or it arrives in the custody account.",
            {P.CHANNEL_CLEARING, P.CUSTODY},
            {P.CUSTOMER_RECEIVABLE},
        ),
        _row(
            PostingKind.CHANNEL_SETTLED,
            "The channel hands what it confirmed to the custody account.",
            {P.CUSTODY},
            {P.CHANNEL_CLEARING},
        ),
        _row(
            PostingKind.RECEIPT_RELEASED,
            "Receipt is confirmed: held becomes available; the platform's share becomes its revenue.",
            {P.HELD, P.PLATFORM_CLAIM},
            {P.AVAILABLE, P.PLATFORM_REVENUE},
        ),
        _row(
            PostingKind.REFUNDED_BEFORE_RELEASE,
            "Money goes back to the payer out of held shares.",
            {P.HELD},
            _FUNDING,
        ),
        _row(
            PostingKind.REFUNDED_AFTER_RELEASE,
            "Money goes back to the payer out of available shares; the platform advances what a party lacks.",
            {P.AVAILABLE, P.PLATFORM_REVENUE, P.PARTY_DEBT},
            _FUNDING | {P.PLATFORM_CLAIM},
        ),
        _row(
            PostingKind.SURCHARGED,
            "Who asked for something dearer on the way has accepted its price: he owes the rise, and each "
            "party's held share is brought to its part of the new price, some of them perhaps down.",
            {P.CUSTOMER_RECEIVABLE, P.HELD},
            {P.HELD},
        ),
        _row(
            PostingKind.SURCHARGE_COLLECTED,
            "A courier or outlet collects at the door what the consignee owes of the price.",
            {P.COD_OWED},
            {P.CUSTOMER_RECEIVABLE},
        ),
        _row(
            PostingKind.COD_COLLECTED,
            "A courier or outlet collects cash on delivery for the shipper.",
            {P.COD_OWED},
            {P.COD_PAYABLE},
        ),
        _row(
            PostingKind.COD_DEPOSITED,
            "The collector deposits the cash in the custody account.",
            {P.CUSTODY},
            {P.COD_OWED},
        ),
        _row(
            PostingKind.COD_REMITTED,
            "Deposited cash becomes available to the shipper, net of the platform's fee.",
            {P.COD_PAYABLE, P.PLATFORM_CLAIM},
            {P.AVAILABLE, P.PLATFORM_REVENUE},
        ),
        _row(
            PostingKind.PAYOUT_PREPARED,
            "A payout batch is prepared: its items can be neither paid twice nor spent otherwise.",
            {P.AVAILABLE},
            {P.IN_PAYOUT},
        ),
        _row(
            PostingKind.PAYOUT_PAID,
            "The bank has paid an item out of the custody account.",
            {P.IN_PAYOUT, P.OWN_BANK},
            {P.CUSTODY, P.PLATFORM_CLAIM},
        ),
        _row(
            PostingKind.PAYOUT_BOUNCED,
            "An item is refused by the bank or its batch cancelled before payment: available again.",
            {P.IN_PAYOUT},
            {P.AVAILABLE},
        ),
        _row(
            PostingKind.PAYOUT_RETURNED,
            "A paid item comes back to the custody account: available again.",
            {P.CUSTODY, P.PLATFORM_CLAIM},
            {P.AVAILABLE, P.OWN_BANK},
        ),
        _row(
            PostingKind.COMPENSATION_AWARDED,
            "A claim is awarded: the bearer pays out of what is available to it, the platform advances the "
            "rest as the bearer's debt; borne by the platform it is an expense.",
            {P.AVAILABLE, P.PARTY_DEBT, P.COMPENSATION_EXPENSE},
            {P.AVAILABLE, P.PLATFORM_CLAIM},
        ),
        _row(
            PostingKind.DEBT_RECOVERED,
            "A debt is netted from what has become available to the party.",
            {P.AVAILABLE, P.PLATFORM_CLAIM},
            {P.AVAILABLE, P.PARTY_DEBT},
        ),
        _row(
            PostingKind.CUSTODY_TOPPED_UP,
            "The platform brings own money into the custody account, to cover what it guarantees.",
            {P.CUSTODY, P.PLATFORM_CLAIM},
            {P.AVAILABLE, P.OWN_BANK},
        ),
        _row(
            PostingKind.TAX_WITHHELD,
            "Tax is withheld from what is available to a party.",
            {P.AVAILABLE},
            {P.TAX},
        ),
        _row(
            PostingKind.TAX_REMITTED,
            "Withheld tax is paid to the tax office.",
            {P.TAX},
            {P.CUSTODY},
        ),
        _row(
            PostingKind.REVERSAL,
            "A mistaken entry is undone by its mirror image; each entry at most once.",
            set(),
            set(),
        ),
    ]
)
