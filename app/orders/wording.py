"""What the keys of orders, tariffs, terms and splits are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from app.formatting import money, money_exact, weight
from app.orders.models import OrderStatus, PaymentChannel, TermsStatus
from app.orders.tariff import ChargeKind
from app.parties.models import Party
from app.shipments.models import Service
from routing.network import Handover
from settlement.money import Money
from settlement.terms import Role

STATUSES = {
    OrderStatus.HELD: (lazy_pgettext("money", "Held"), "progress"),
    OrderStatus.RELEASED: (_l("Released"), "ok"),
    OrderStatus.CANCELLED: (_l("Cancelled"), "neutral"),
}
CHANNELS = {
    PaymentChannel.PREPAID: _l("Prepaid"),
    PaymentChannel.MONTHLY_ACCOUNT: _l("Monthly account"),
}
CHARGES = {
    ChargeKind.FREIGHT: _l("Freight"),
    ChargeKind.INSURANCE: _l("Insurance"),
    ChargeKind.COD_FEE: _l("Fee for cash on delivery"),
    ChargeKind.REDIRECTION: _l("Redirection"),
}
SERVICES = {Service.STANDARD: _l("Standard"), Service.EXPRESS: _l("Express")}
PICKUPS = {
    Handover.DOOR: _l("A courier collects it at the door"),
    Handover.OUTLET: _l("Brought to the outlet"),
    Handover.STORE: _l("Brought to a store"),
    Handover.LOCKER: _l("Put into a locker"),
    Handover.COLLECTIVE_POINT: _l("Brought to a collective point"),
}
DELIVERIES = {
    Handover.DOOR: _l("Delivered to the door"),
    Handover.OUTLET: _l("Fetched from the outlet"),
    Handover.STORE: _l("Fetched from a store"),
    Handover.LOCKER: _l("Fetched from a locker"),
    Handover.COLLECTIVE_POINT: _l("Fetched from a collective point"),
}
ROLES = {
    Role.PLATFORM: _l("Platform"),
    Role.ORIGIN_OUTLET: _l("Origin outlet"),
    Role.HUB: _l("Hub"),
    Role.LINEHAUL_CARRIER: _l("Line-haul carrier"),
    Role.DELIVERY_OUTLET: _l("Delivery outlet"),
    Role.COURIER_PICKUP: _l("Collecting courier"),
    Role.COURIER_DELIVERY: _l("Delivering courier"),
    Role.WAREHOUSE: _l("Warehouse"),
}
TERMS_STATUSES = {
    TermsStatus.DRAFT: (_l("Draft"), "progress"),
    TermsStatus.APPROVED: (_l("Approved"), "ok"),
    TermsStatus.RETIRED: (_l("Withdrawn"), "neutral"),
}
RELEASES = {
    "receipt_confirmed": _l("receipt was confirmed"),
    "auto_confirmed": _l("nobody objected for some days after delivery"),
}
ACTIONS = {
    "terms.drafted": _l("Written"),
    "terms.approved": _l("Approved"),
    "terms.withdrawn": _l("Withdrawn"),
}

_LINES: Mapping[str, Any] = {
    "terms.percent": _l("%(party)s: %(rate)s of the price"),
    "terms.fixed": _l("%(party)s: %(amount)s an order"),
    "terms.per_kilogram": _l("%(party)s: %(amount)s a kilogram"),
    "terms.per_piece": _l("%(party)s: %(amount)s a piece"),
    "terms.per_kilometre": _l("%(party)s: %(amount)s a kilometre"),
    "terms.tier": _l("%(party)s: %(amount)s for each kilogram above %(from_weight)s"),
    "terms.tier_up_to": _l("%(party)s: %(amount)s for each kilogram from %(from_weight)s to %(to_weight)s"),
    "terms.remainder": _l("%(party)s: what is left"),
    "terms.minimum": _l("at least %(amount)s"),
    "terms.cap": _l("at most %(amount)s"),
    "terms.only_services": _l("only for the services %(codes)s"),
    "terms.only_pickup_handovers": _l("only if handed in this way: %(codes)s"),
    "terms.only_delivery_handovers": _l("only if handed over this way: %(codes)s"),
    "terms.only_weight": _l("only from %(min_weight)s"),
    "terms.only_weight_below": _l("only from %(min_weight)s to below %(below_weight)s"),
    "terms.shortfall.reduce": _l("If the shares exceed the price, all are reduced in proportion."),
    "terms.shortfall.remainder_pays": _l("If the shares exceed the price, who has what is left pays it."),
    "terms.shortfall.refuse": _l("If the shares exceed the price, the order is refused."),
    "split.reason.percent": _l("rule %(share)s, part of the price: %(exact)s"),
    "split.reason.fixed": _l("rule %(share)s, fixed: %(exact)s"),
    "split.reason.per_kilogram": _l("rule %(share)s, by weight: %(exact)s"),
    "split.reason.per_piece": _l("rule %(share)s, by piece: %(exact)s"),
    "split.reason.per_kilometre": _l("rule %(share)s, by distance: %(exact)s"),
    "split.reason.tiers": _l("rule %(share)s, by weight brackets: %(exact)s"),
    "split.reason.remainder": _l("rule %(share)s, what is left: %(exact)s"),
    "split.bound.minimum": _l("raised to the minimum"),
    "split.bound.cap": _l("lowered to the cap"),
    "split.reduced": _l("reduced, since the shares exceeded the price"),
    "split.portion": _l("%(portion)s of the role's share, by its part of the work"),
    "split.rounding": _l("rounded by %(exact)s"),
    "split.amount": _l("comes to %(amount)s"),
}


def line_text(key: str, params: Mapping[str, Any], parties: Mapping[int, Party], currency: str) -> str:
    """A line of `settlement.terms.describe` or `settlement.split.explain` in the page's language."""
    values: dict[str, Any] = {**params, "party": party_name(params, parties)}
    if "amount" in params:
        amount = Money.parse(params["amount"], params["currency"])
        values["amount"] = money(amount.amount_minor, amount.currency)
    if key == "terms.tier" and "up_to_g" in params:
        key, values["to_weight"] = "terms.tier_up_to", weight(params["up_to_g"])
    if key == "terms.only_weight" and "below_g" in params:
        key, values["below_weight"] = "terms.only_weight_below", weight(params["below_g"])
    if "exact" in params:
        values["exact"] = money_exact(_mixed(str(params["exact"])), currency)
    if "portion" in params:
        values["portion"] = _percent(Fraction(str(params["portion"])))
    for name, grams in (("from_weight", "from_g"), ("min_weight", "min_g")):
        if grams in params:
            values[name] = weight(params[grams])
    return str(_LINES[key]) % values


def _mixed(exact: str) -> Fraction:
    """Minor units as the engine writes them: whole part, then the fraction, such as `-2 1/3`."""
    parts = [abs(Fraction(part)) for part in exact.split()]
    return -sum(parts, Fraction()) if exact.startswith("-") else sum(parts, Fraction())


def _percent(portion: Fraction) -> str:
    percent = portion * 100
    if percent.denominator == 1:
        return f"{percent.numerator}%"
    return f"≈{Decimal(percent.numerator) / percent.denominator:.1f}%"


def party_name(params: Mapping[str, Any], parties: Mapping[int, Party]) -> str:
    """A party of a line: its role, or its name where the terms name it."""
    if "party_role" in params:
        return str(ROLES[Role(params["party_role"])])
    party = parties.get(params["party_id"]) if "party_id" in params else None
    return party.name if party is not None else _("a party that is not known")
