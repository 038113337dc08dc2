"""Which of a few amounts sum to another: meet in the middle, exact."""

from __future__ import annotations

from collections.abc import Sequence

_LEAST = 2


def that_sum_to(wanted: int, amounts: Sequence[int]) -> tuple[int, ...] | None:
    """Places of some amounts, at least two, that sum to the wanted one; of several answers the shortest.

    Half of the amounts are summed in every way and looked up by what the other half lacks (Horowitz and
    Sahni, 1974): 2 to the power of half their number, twice. Zeros are never taken.
    """
    places = [place for place, amount in enumerate(amounts) if amount]
    middle = len(places) // 2
    first, second = places[:middle], places[middle:]
    # By how many there are at least: with few of the second half more of the first are needed.
    shortest_of: list[dict[int, tuple[int, ...]]] = [{} for _ in range(_LEAST + 1)]
    for some in _subsets(first):
        total = sum(amounts[place] for place in some)
        for least in range(min(len(some), _LEAST) + 1):
            known = shortest_of[least].get(total)
            if known is None or len(some) < len(known):
                shortest_of[least][total] = some
    best: tuple[int, ...] | None = None
    for some in _subsets(second):
        rest = shortest_of[max(0, _LEAST - len(some))].get(wanted - sum(amounts[place] for place in some))
        if rest is not None and (best is None or len(rest) + len(some) < len(best)):
            best = rest + some
    return best


def _subsets(places: Sequence[int]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [()]
    for place in places:
        found += [(*some, place) for some in found]
    return found
