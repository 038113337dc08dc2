"""What lies ahead of a parcel: when it is expected, and by when it is heard of again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracking.position import Position
from tracking.promise import LastMile, LegHistory, Promise, heard_again_by, promise, silence
from tracking.promise.quiet import AGING_S_MIN
from tracking.shipment import Leg

_AGING = timedelta(seconds=AGING_S_MIN)


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of a parcel as it stands.

    Attributes:
        promise: when it is expected.
        quiet_until: by when 95 of 100 such parcels are heard of again (UTC); None where nobody has it yet, or
            the plan does not say what comes next.
        ages_at: from when on this no longer holds if nothing has been heard (UTC).
        aged: nothing has been heard for longer than is usual, and the promise takes that into account.
    """

    promise: Promise
    quiet_until: datetime | None
    ages_at: datetime
    aged: bool


def outlook(
    legs: Sequence[Leg],
    current: Position,
    *,
    rounds: LastMile,
    history: LegHistory | None,
    now: datetime,
    awaited: bool,
) -> Outlook:
    """Look ahead from a position.

    Args:
        legs: the planned route in order.
        current: where the parcel is.
        rounds: how it comes to its consignee, from its last outlet.
        history: what was learned of legs and places.
        now: nothing is expected before.
        awaited: it has not come to its first facility yet.

    Raises:
        PromiseError: the legs are no chain, or the position is not on them.
    """
    expected = promise(legs, handover_s=rounds, history=history, now=now, current=current, awaited=awaited)
    so_far = silence(legs, handover_s=rounds, history=history, current=current, now=now, awaited=awaited)
    # What half of such parcels have done by then is looked at then, if it is the last thing ahead of it.
    ages_at = max(min(so_far.ages_at, expected.p50_at), now + _AGING)
    quiet_until = None
    if not awaited:
        quiet_until = heard_again_by(legs, handover_s=rounds, history=history, current=current)
    return Outlook(expected, quiet_until, ages_at, so_far.aged)
