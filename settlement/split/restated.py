"""A split that is made anew because the price has risen: what is still to be posted of it."""

from __future__ import annotations

from collections.abc import Mapping

from settlement.errors import SplitError
from settlement.money import Money
from settlement.split.values import Split


def still_to_post(posted: Mapping[int, Money], target: Split) -> dict[int, Money]:
    """What brings each party from what was posted for it to what it is to have in all.

    The whole price is split anew and what was posted is taken off, so that after any number of rises each
    party has to the cent what one split of the last price gives; splitting each rise by itself would let the
    roundings add up. A party whose share falls, or that no longer takes part, has a negative amount.

    Args:
        posted: party -> the sum of what was posted for it.
        target: the split of the whole price as it is now.

    Returns:
        Party -> what is to be posted, without zeros; the sum is the rise of the price.

    Raises:
        SplitError: something was posted in another currency.
    """
    nothing = Money(0, target.total.currency)
    for party_id, amount in posted.items():
        if amount.currency != target.total.currency:
            raise SplitError(f"party {party_id}: {amount.currency} was posted, {nothing.currency} is split")
    wanted = target.by_party()
    parties = dict.fromkeys((*wanted, *posted))
    due = {party_id: wanted.get(party_id, nothing) - posted.get(party_id, nothing) for party_id in parties}
    return {party_id: amount for party_id, amount in due.items() if amount.amount_minor}
