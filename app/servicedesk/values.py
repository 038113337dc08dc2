"""The words of a case: where it came from, what it is about, where it stands, what can happen to it."""

from __future__ import annotations

import enum


class CaseChannel(enum.StrEnum):
    """Where a case came from."""

    TRACKING_PAGE = "tracking_page"
    PHONE = "phone"
    PORTAL = "portal"
    API = "api"


class CaseCategory(enum.StrEnum):
    """What a case is about."""

    LATE = "late"
    DAMAGED = "damaged"
    LOST = "lost"
    NOT_RECEIVED = "not_received"
    COURIER = "courier"
    PRICE = "price"
    OTHER = "other"


class CaseStatus(enum.StrEnum):
    """Where a case stands."""

    OPEN = "open"
    WAITING_CUSTOMER = "waiting_customer"
    RESOLVED = "resolved"
    CLOSED = "closed"


class CaseEventKind(enum.StrEnum):
    """What can happen to a case."""

    OPENED = "opened"
    CUSTOMER_MESSAGE = "customer_message"
    REPLY = "reply"
    NOTE = "note"
    ASSIGNED = "assigned"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CLAIM_PROPOSED = "claim_proposed"
    CLAIM_POSTED = "claim_posted"
    CLAIM_REFUSED = "claim_refused"


class ClaimStatus(enum.StrEnum):
    """Life of a claim: proposed by one person, approved or refused by another, posted to the ledger."""

    PROPOSED = "proposed"
    POSTED = "posted"
    REFUSED = "refused"


class ClockKind(enum.StrEnum):
    """Which promise a time is counted for."""

    ANSWER = "answer"
    """Our own: the customer's last word is answered within working hours."""
    LAW = "law"
    """Express Regulations, Article 28: handled, and the customer told, within seven days."""
