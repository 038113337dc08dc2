"""What happens at the last door: instructions, consent, hand-over, cash."""

from app.deliveries.cash import reverse_voided
from app.deliveries.consent import follow_merge
from app.deliveries.consent import record as record_consent
from app.deliveries.door_values import Evidence, HandOver, Outcome, Paid
from app.deliveries.doubts import look_at_hand_over
from app.deliveries.handover import Done, hand_over
from app.deliveries.instructions import ask, decide, follow, redelivery_days, withdraw
from app.deliveries.values import Asking, Window, Wish

__all__ = [
    "Asking",
    "Done",
    "Evidence",
    "HandOver",
    "Outcome",
    "Paid",
    "Window",
    "Wish",
    "ask",
    "decide",
    "follow",
    "follow_merge",
    "hand_over",
    "look_at_hand_over",
    "record_consent",
    "redelivery_days",
    "reverse_voided",
    "withdraw",
]
