"""What happens to cases: opened, answered, resolved; claims proposed, approved and posted."""

from app.servicedesk.claims import approve_claim, propose_claim, refuse_claim
from app.servicedesk.handling import (
    TakeResult,
    assign,
    close,
    customer_message,
    drop_draft,
    follow_merge,
    note,
    reply,
    resolve,
    save_draft,
    take_many,
    wait_for_customer,
)
from app.servicedesk.opening import OPEN_CASES_PER_SHIPMENT_MAX, open_case, open_from_tracking_page

__all__ = [
    "OPEN_CASES_PER_SHIPMENT_MAX",
    "TakeResult",
    "approve_claim",
    "assign",
    "close",
    "customer_message",
    "drop_draft",
    "follow_merge",
    "note",
    "open_case",
    "open_from_tracking_page",
    "propose_claim",
    "refuse_claim",
    "reply",
    "resolve",
    "save_draft",
    "take_many",
    "wait_for_customer",
]
