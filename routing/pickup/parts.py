"""Parts of a round: how early and late each of its nodes can be, and how long the parts around it last.

A round is given as legs, service times and windows, its start and end among the nodes.
"""

from collections.abc import Sequence
from typing import TypeAlias

from routing.pickup.problem import HORIZON_S, Windows
from routing.pickup.schedule import earliest_start, latest_start

Part: TypeAlias = tuple[int, int, int]
"""Minimal duration of a part of a round, and the earliest and latest moment to begin it for that duration."""


def earliest_starts(
    travel_s: Sequence[int], service_s: Sequence[int], windows: Sequence[Windows]
) -> list[int]:
    """Earliest start of service at each node."""
    now_s = windows[0][0][0]
    starts = [now_s]
    for leg_s, service, open_windows in zip(travel_s, service_s, windows[1:], strict=False):
        begin_s = earliest_start(open_windows, now_s + service + leg_s)
        if begin_s is None:
            # only the end of an unused vehicle's round may be out of reach
            assert len(travel_s) == 1, "a round that keeps the rules"
            begin_s = now_s + service + leg_s
        starts.append(begin_s)
        now_s = begin_s
    return starts


def latest_arrivals(
    travel_s: Sequence[int], service_s: Sequence[int], windows: Sequence[Windows]
) -> list[int]:
    """Latest arrival at each node from which the rest can be kept; before the horizon where there is none."""
    limit_s = HORIZON_S
    latest = []
    for node in range(len(windows) - 1, -1, -1):
        begin_s = latest_start(windows[node], limit_s)
        latest.append(-1 if begin_s is None else begin_s)
        if node:
            limit_s = latest[-1] - travel_s[node - 1] - service_s[node - 1]
    return latest[::-1]


def window_at(windows: Windows, start_s: int) -> tuple[int, int]:
    """The window in which service starts then."""
    return next((window for window in windows if start_s <= window[1]), windows[-1])


def parts(
    travel_s: Sequence[int], service_s: Sequence[int], windows: Sequence[tuple[int, int]]
) -> tuple[list[Part], list[Part]]:
    """The part of the round up to each node, and the part from each node on."""
    alone = [(service, *window) for service, window in zip(service_s, windows, strict=True)]
    before = [alone[0]]
    for leg_s, node in zip(travel_s, alone[1:], strict=True):
        before.append(_join(before[-1], leg_s, node))
    after = [alone[-1]]
    for leg_s, node in zip(reversed(travel_s), reversed(alone[:-1]), strict=True):
        after.append(_join(node, leg_s, after[-1]))
    return before, after[::-1]


def _join(first: Part, leg_s: int, second: Part) -> Part:
    elapsed = first[0] + leg_s
    wait = max(second[1] - elapsed - first[2], 0)
    early = max(second[1] - elapsed, first[1]) - wait
    return elapsed + second[0] + wait, early, max(min(second[2] - elapsed, first[2]), early)
