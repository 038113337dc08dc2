"""The split of an order as a waterfall: the price on the left, each share taken off it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _

from app.formatting import money

_LABEL_PX = 88  # room for an amount to the right of the longest bar, on a phone too


def waterfall(total_minor: int, currency: str, shares: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Options of a chart; bars are as long as their minor units and labelled as money.

    Args:
        total_minor: the price.
        currency: of all amounts.
        shares: `party`, `role` and `amount_minor` each, in the order of the terms.
    """
    labels, bases, bars = [str(_("Price"))], [0], [_bar(total_minor, currency)]
    left_minor = total_minor
    for share in shares:
        # A share below zero is paid by its party, so its bar stands on what was left before it.
        low_minor = min(left_minor, left_minor - share["amount_minor"])
        left_minor -= share["amount_minor"]
        labels.append(f"{share['role']}\n{share['party'].name}" if share["role"] else share["party"].name)
        bases.append(low_minor)
        bars.append(_bar(share["amount_minor"], currency))
    return {
        "grid": {"left": 8, "right": _LABEL_PX, "top": 16, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "axisLabel": {"show": False}, "max": total_minor},
        "yAxis": {"type": "category", "data": labels, "inverse": True},
        "series": [
            {
                "type": "bar",
                "stack": "money",
                "silent": True,
                "itemStyle": {"color": "transparent"},
                "data": bases,
            },
            {"type": "bar", "stack": "money", "label": {"show": True, "position": "right"}, "data": bars},
        ],
    }


def _bar(amount_minor: int, currency: str) -> dict[str, Any]:
    return {"value": abs(amount_minor), "label": {"formatter": money(amount_minor, currency)}}
