"""What happens at the last door: instructions, consent, hand-over, cash, pickup points."""

from app.deliveries.cash import reverse_voided
from app.deliveries.consent import follow_merge
from app.deliveries.consent import record as record_consent
from app.deliveries.deciding import accept_price, decide
from app.deliveries.door_values import Evidence, HandOver, Outcome, Paid
from app.deliveries.handover import Done, hand_over
from app.deliveries.instructions import ask, follow, redelivery_days, withdraw
from app.deliveries.points import Fetching, Leaving, deposit, take_back, take_out
from app.deliveries.reacting import after_scans
from app.deliveries.values import Asking, Window, Wish
from app.deliveries.waiting import dispute

__all__ = [
    "Asking",
    "Done",
    "Evidence",
    "Fetching",
    "HandOver",
    "Leaving",
    "Outcome",
    "Paid",
    "Window",
    "Wish",
    "accept_price",
    "after_scans",
    "ask",
    "decide",
    "deposit",
    "dispute",
    "follow",
    "follow_merge",
    "hand_over",
    "record_consent",
    "redelivery_days",
    "reverse_voided",
    "take_back",
    "take_out",
    "withdraw",
]
