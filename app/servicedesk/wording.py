"""What the words of cases, claims and the customer's line of time are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from app.servicedesk.models import Claim
from app.servicedesk.queries import Show
from app.servicedesk.timeline import EntryKind
from app.servicedesk.values import (
    CaseCategory,
    CaseChannel,
    CaseEventKind,
    CaseStatus,
    ClaimStatus,
    ClockKind,
)
from app.shipments.words import CODES
from settlement.compensation import BearerReason, LossKind
from tracking.shipment import ScanCode

CHANNELS: Mapping[CaseChannel, Any] = {
    CaseChannel.TRACKING_PAGE: _l("On the tracking page"),
    CaseChannel.PHONE: _l("By phone"),
    CaseChannel.PORTAL: _l("In the portal"),
    CaseChannel.API: _l("Through the API"),
}
CATEGORIES: Mapping[CaseCategory, Any] = {
    CaseCategory.LATE: _l("It is late"),
    CaseCategory.DAMAGED: _l("It is damaged"),
    CaseCategory.LOST: _l("It is lost"),
    CaseCategory.NOT_RECEIVED: _l("Marked as delivered, not received"),
    CaseCategory.COURIER: _l("The courier"),
    CaseCategory.PRICE: _l("The price"),
    CaseCategory.OTHER: _l("Something else"),
}
STATUSES: Mapping[CaseStatus, tuple[Any, str]] = {
    CaseStatus.OPEN: (lazy_pgettext("case", "Open"), "progress"),
    CaseStatus.WAITING_CUSTOMER: (_l("Waiting for the customer"), "info"),
    CaseStatus.RESOLVED: (_l("Resolved"), "ok"),
    CaseStatus.CLOSED: (_l("Closed"), "neutral"),
}
CLAIM_STATUSES: Mapping[ClaimStatus, tuple[Any, str]] = {
    ClaimStatus.PROPOSED: (_l("Waits for approval"), "warn"),
    ClaimStatus.POSTED: (_l("Approved and posted"), "ok"),
    ClaimStatus.REFUSED: (_l("Not approved"), "neutral"),
}
CLOCKS: Mapping[ClockKind, Any] = {
    ClockKind.ANSWER: _l("answer, by our own target"),
    ClockKind.LAW: _l("outcome, by law"),
}
SHOWS: Mapping[Show, Any] = {
    Show.UNRESOLVED: _l("Unresolved"),
    Show.OVERDUE: _l("Overdue"),
    Show.UNOWNED: _l("Not taken"),
    Show.MINE: _l("Mine"),
    Show.CLAIMS: _l("Claims"),
    Show.ALL: _l("All"),
}
EVENTS: Mapping[CaseEventKind, Any] = {
    CaseEventKind.OPENED: _l("Case opened"),
    CaseEventKind.CUSTOMER_MESSAGE: _l("Customer's message"),
    CaseEventKind.REPLY: _l("Answer"),
    CaseEventKind.NOTE: _l("Internal note"),
    CaseEventKind.ASSIGNED: _l("Taken over"),
    CaseEventKind.WAITING: _l("Waiting for the customer"),
    CaseEventKind.RESOLVED: _l("Resolved"),
    CaseEventKind.CLOSED: _l("Closed"),
    CaseEventKind.CLAIM_PROPOSED: _l("Compensation proposed"),
    CaseEventKind.CLAIM_POSTED: _l("Compensation awarded"),
    CaseEventKind.CLAIM_REFUSED: _l("Compensation not approved"),
}
LOSSES: Mapping[LossKind, Any] = {
    LossKind.LOST: _l("Lost"),
    LossKind.DESTROYED: _l("Destroyed as a whole"),
    LossKind.PARTLY_DAMAGED: _l("Partly damaged"),
    LossKind.SHORT: _l("Part of the contents missing"),
    LossKind.DELAYED: _l("Damage through delay"),
}
BEARER_REASONS: Mapping[BearerReason, Any] = {
    BearerReason.NOTED_IN_CUSTODY: _l("It was first noted while this party had the parcel."),
    BearerReason.NOTED_AT_TAKEOVER: _l("The next party noted it on taking over, so it happened before."),
    BearerReason.NOTED_AT_ACCEPTANCE: _l("It was noted when the parcel was accepted."),
    BearerReason.NEVER_HANDED_ON: _l("Nothing was noted, and this party never handed the parcel on."),
    BearerReason.LAST_CUSTODIAN: _l("Nothing was noted before delivery; this party had the parcel last."),
}
FORMULAS: Mapping[str, Any] = {
    "compensation.insured_total": _l("The insured amount: %(insured)s %(currency)s."),
    "compensation.insured_proportional": _l(
        "Loss × insured amount ÷ total value: %(loss)s × %(insured)s ÷ %(total_value)s = "
        "%(amount)s %(currency)s."
    ),
    "compensation.insured_agreed": _l(
        "The loss, at most the insured amount, as agreed: the lower of %(loss)s and %(insured)s = "
        "%(amount)s %(currency)s."
    ),
    "compensation.postage_limited": _l(
        "The loss, at most three times the postage: the lower of %(loss)s and 3 × %(postage)s = "
        "%(amount)s %(currency)s."
    ),
    "compensation.postage_triple": _l("Three times the postage: 3 × %(postage)s = %(amount)s %(currency)s."),
    "compensation.civil_loss": _l(
        "The loss at the market price of the destination: %(amount)s %(currency)s."
    ),
    "compensation.nothing": _l("Nothing is due."),
    "compensation.full_loss": _l(
        "The full loss, since intent or gross negligence lifts the limit: %(amount)s %(currency)s."
    ),
    "compensation.excluded.force_majeure": _l("Nothing is due: force majeure."),
    "compensation.excluded.nature_of_goods": _l("Nothing is due: it lies in the nature of the goods."),
    "compensation.excluded.fault_of_customer": _l("Nothing is due: it is the sender's or consignee's fault."),
}
"""Every formula that `settlement.compensation` can name."""

REFUSALS: Mapping[str, Any] = {
    "not_now": _l("as the case stands, this cannot be done"),
    "claim_waits": _l("a claim waits for its decision"),
    "taken_already": _l("somebody else has taken it"),
    "not_found": _l("there is no such case"),
}
"""Why nothing was changed, by the `reason` of the refusal."""

_CIVIL_CODE = "Civil Code"
NO_AWARD: Mapping[str, Any] = {
    "noted_at_acceptance": _l(
        "By the scans it was damaged when we accepted it; nobody in the chain bears it."
    ),
    "claimed_already": _l("This shipment has a claim already; a shipment is compensated once."),
    "no_custody": _l("No scan shows that we had the parcel, so nobody bears a loss yet."),
}
"""Why a claim cannot be proposed, by the `reason` of the refusal."""

INSTRUMENTS: Mapping[str, Any] = {
    "Interim Regulations on Express Delivery": _l("Interim Regulations on Express Delivery"),
    "Postal Law": _l("Postal Law"),
}
ENTRY_KINDS: Mapping[EntryKind, Any] = {
    EntryKind.SHIPMENT: _l("Shipments"),
    EntryKind.SCAN: _l("Key moments"),
    EntryKind.ORDER: _l("Orders and payments"),
    EntryKind.CASE: _l("Cases"),
    EntryKind.CLAIM: _l("Claims"),
}
_HAPPENINGS: Mapping[str, Any] = {
    "sent": _l("Sends a parcel"),
    "received": _l("Is sent a parcel"),
    "placed": _l("Order placed"),
    "paid": _l("Order paid"),
    "released": _l("Order's money released"),
    "cancelled": _l("Order cancelled"),
}
_TONES = {
    "paid": "ok",
    "cancelled": "neutral",
    "opened": "warn",
    "customer_message": "warn",
    "resolved": "ok",
    "claim_posted": "ok",
    "delivered": "ok",
    "damaged": "bad",
    "lost": "bad",
    "refused": "warn",
    "held": "warn",
    "attempt_failed": "warn",
}


def event_name(kind: str) -> Any:
    """A kind of event in the page's language."""
    return EVENTS[CaseEventKind(kind)]


def happening(kind: EntryKind, what: str) -> Any:
    """What happened, in words."""
    if kind is EntryKind.SCAN:
        return CODES[ScanCode(what)]
    return EVENTS[CaseEventKind(what)] if kind in (EntryKind.CASE, EntryKind.CLAIM) else _HAPPENINGS[what]


def happening_tone(what: str) -> str | None:
    """How loud it is on the line of time."""
    return _TONES.get(what)


def formula_text(claim: Claim) -> str:
    """How an award was computed, with its figures."""
    params: dict[str, str] = claim.formula["params"]
    return str(FORMULAS[claim.formula["key"]]) % params


def article_text(claim: Claim) -> str:
    """By which article of which law an award is due."""
    articles = _("; ").join(_article(part.strip()) for part in claim.article.split(";"))
    return str(
        _(
            "%(instrument)s (version of %(version)s), %(articles)s",
            instrument=INSTRUMENTS[claim.instrument],
            version=claim.instrument_version.isoformat(),
            articles=articles,
        )
    )


def _article(article: str) -> str:
    """An article of the instrument itself, or of the Civil Code where it says so."""
    if article.startswith(_CIVIL_CODE):
        return str(_("Civil Code, Article %(number)s", number=article.removeprefix(_CIVIL_CODE).strip()))
    return str(_("Article %(number)s", number=article))
