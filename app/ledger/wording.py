"""What kinds of entries, purposes of accounts and evidence are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask
from flask_babel import lazy_gettext as _l

from settlement.ledger import Purpose
from settlement.posting import PostingKind

KINDS: Mapping[str, Any] = {
    PostingKind.ORDER_PLACED_SPLIT_HELD: _l("Order split and held"),
    PostingKind.PAID: _l("Order paid"),
    PostingKind.CHANNEL_SETTLED: _l("Channel paid in"),
    PostingKind.RECEIPT_RELEASED: _l("Released on receipt"),
    PostingKind.REFUNDED_BEFORE_RELEASE: _l("Refunded before release"),
    PostingKind.REFUNDED_AFTER_RELEASE: _l("Refunded after release"),
    PostingKind.SURCHARGED: _l("Price raised on the way"),
    PostingKind.SURCHARGE_COLLECTED: _l("Surcharge collected at the door"),
    PostingKind.COD_COLLECTED: _l("Cash collected at the door"),
    PostingKind.COD_DEPOSITED: _l("Collected cash deposited"),
    PostingKind.COD_REMITTED: _l("Collected cash passed on"),
    PostingKind.PAYOUT_PREPARED: _l("Payout prepared"),
    PostingKind.PAYOUT_PAID: _l("Payout paid"),
    PostingKind.PAYOUT_BOUNCED: _l("Payout bounced"),
    PostingKind.PAYOUT_RETURNED: _l("Payout returned"),
    PostingKind.COMPENSATION_AWARDED: _l("Compensation awarded"),
    PostingKind.DEBT_RECOVERED: _l("Debt recovered"),
    PostingKind.CUSTODY_TOPPED_UP: _l("Custody topped up"),
    PostingKind.TAX_WITHHELD: _l("Tax withheld"),
    PostingKind.TAX_REMITTED: _l("Tax remitted"),
    PostingKind.REVERSAL: _l("Reversal"),
}
PURPOSES: Mapping[Purpose, Any] = {
    Purpose.CUSTOMER_RECEIVABLE: _l("Owed by the customer"),
    Purpose.CHANNEL_CLEARING: _l("Confirmed by the payment channel"),
    Purpose.CUSTODY: _l("In custody at the bank"),
    Purpose.COD_OWED: _l("Collected cash not deposited"),
    Purpose.HELD: _l("Held until receipt"),
    Purpose.AVAILABLE: _l("Available"),
    Purpose.IN_PAYOUT: _l("In payout"),
    Purpose.COD_PAYABLE: _l("Collected for the shipper"),
    Purpose.TAX: _l("Tax withheld"),
    Purpose.PLATFORM_CLAIM: _l("Platform's claim on custody"),
    Purpose.OWN_BANK: _l("Platform's own bank account"),
    Purpose.PLATFORM_REVENUE: _l("Platform's revenue"),
    Purpose.COMPENSATION_EXPENSE: _l("Compensation borne by the platform"),
    Purpose.PARTY_DEBT: _l("Owed by the party"),
}
EVIDENCE: Mapping[str, Any] = {
    "order": _l("Order"),
    "shipment": _l("Shipment"),
    "instruction": _l("Instruction"),
    "scan": _l("Scan"),
    "case": _l("Case"),
    "claim": _l("Claim"),
    "payout_batch": _l("Payout batch"),
    "payout_item": _l("Payout item"),
    "journal_entry": _l("Journal entry"),
}
# The page of a thing that is evidence: endpoint, and the argument that takes the reference.
PAGES: Mapping[str, tuple[str, str]] = {
    "order": ("orders.show", "number"),
    "shipment": ("shipments.show", "number"),
    "case": ("servicedesk.case", "number"),
    "payout_batch": ("payouts.show", "number"),
    "journal_entry": ("ledger.entry_of_key", "key"),
}


def kind_name(kind: str) -> Any:
    """A kind of entry in the page's language."""
    return KINDS.get(kind, kind)


def evidence_name(kind: str) -> Any:
    """A kind of evidence in the page's language."""
    return EVIDENCE.get(kind, kind)


def evidence_page(kind: str, ref: str) -> str:
    """The page of a piece of evidence; where the thing has none, what else rests on it."""
    if kind not in PAGES:
        return flask.url_for("ledger.evidence", kind=kind, ref=ref)
    endpoint, argument = PAGES[kind]
    arguments: dict[str, Any] = {argument: ref}
    return flask.url_for(endpoint, **arguments)
