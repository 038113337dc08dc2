"""What happens to orders: quoted, booked and split, paid, released, cancelled; and the terms they follow."""

from app.orders.booking import Booking, Quote, book, book_many, quote
from app.orders.cash import Collected, post_collected_cash, reverse_collected_cash
from app.orders.changes import price_difference
from app.orders.lifecycle import (
    cancel,
    cancel_for_shipments,
    follow_merge,
    owed_minor,
    pay,
    pay_many,
    release_for_shipments,
    settle_channel,
)
from app.orders.locking import lock_all
from app.orders.surcharges import Rise, may_rise, surcharge
from app.orders.tariffs import set_tariff
from app.orders.terms import approve_terms, create_terms_version, dry_run, withdraw_terms

__all__ = [
    "Booking",
    "Collected",
    "Quote",
    "Rise",
    "approve_terms",
    "book",
    "book_many",
    "cancel",
    "cancel_for_shipments",
    "create_terms_version",
    "dry_run",
    "follow_merge",
    "lock_all",
    "may_rise",
    "owed_minor",
    "pay",
    "pay_many",
    "post_collected_cash",
    "price_difference",
    "quote",
    "release_for_shipments",
    "reverse_collected_cash",
    "set_tariff",
    "settle_channel",
    "surcharge",
    "withdraw_terms",
]
