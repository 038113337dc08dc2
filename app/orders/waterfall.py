"""The split of an order as a waterfall: the price on the left, each share taken off it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _


def waterfall(total_minor: int, shares: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Options of a chart; amounts are in minor units.

    Args:
        total_minor: the price.
        shares: `party`, `role` and `amount_minor` each, in the order of the terms.
    """
    labels, bases, amounts = [str(_("Price"))], [0], [total_minor]
    left_minor = total_minor
    for share in shares:
        # A share below zero is paid by its party, so its bar stands on what was left before it.
        low_minor = min(left_minor, left_minor - share["amount_minor"])
        left_minor -= share["amount_minor"]
        labels.append(f"{share['role']}\n{share['party'].name}" if share["role"] else share["party"].name)
        bases.append(low_minor)
        amounts.append(abs(share["amount_minor"]))
    return {
        "grid": {"left": 8, "right": 16, "top": 16, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "name": str(_("minor units"))},
        "yAxis": {"type": "category", "data": labels, "inverse": True},
        "series": [
            {
                "type": "bar",
                "stack": "money",
                "silent": True,
                "itemStyle": {"color": "transparent"},
                "data": bases,
            },
            {"type": "bar", "stack": "money", "label": {"show": True, "position": "right"}, "data": amounts},
        ],
    }
