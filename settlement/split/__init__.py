"""Total, terms and facts in; what each party earns out, with the reason of every cent.

``values`` holds the facts and the result, ``divide`` the arithmetic, ``restated`` what a new price changes,
``wording`` the reasons as lines.
"""

from settlement.split.divide import refund_parts, split
from settlement.split.restated import still_to_post
from settlement.split.values import (
    Bound,
    Cause,
    Facts,
    PartyRole,
    PartyShare,
    Reason,
    SkippedShare,
    Split,
)
from settlement.split.wording import explain

__all__ = [
    "Bound",
    "Cause",
    "Facts",
    "PartyRole",
    "PartyShare",
    "Reason",
    "SkippedShare",
    "Split",
    "explain",
    "refund_parts",
    "split",
    "still_to_post",
]
