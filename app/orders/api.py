"""The machine's door to the orders room: quotes, bookings, orders, the terms they are split by."""

from app.orders import api_bookings, api_orders, api_terms
from app.orders.api_blueprint import blueprint

__all__ = ["api_bookings", "api_orders", "api_terms", "blueprint"]
