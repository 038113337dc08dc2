"""What happens at the last door: instructions and consent."""

from app.deliveries.consent import follow_merge
from app.deliveries.consent import record as record_consent
from app.deliveries.instructions import ask, decide, follow, redelivery_days, withdraw
from app.deliveries.values import Asking, Window, Wish

__all__ = [
    "Asking",
    "Window",
    "Wish",
    "ask",
    "decide",
    "follow",
    "follow_merge",
    "record_consent",
    "redelivery_days",
    "withdraw",
]
