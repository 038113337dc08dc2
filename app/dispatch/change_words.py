"""What somebody did to a plan, as a sentence: who, which stop, from whom and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from app.dispatch.journal import Named

# Moves differ by whether the stop had a courier before, and has one now.
_MOVED: Mapping[tuple[bool, bool], Any] = {
    (True, True): _l("%(by)s gave %(stop)s of %(from)s to %(to)s"),
    (False, True): _l("%(by)s gave %(stop)s to %(to)s"),
    (True, False): _l("%(by)s took %(stop)s out of the round of %(from)s"),
    (False, False): _l("%(by)s took %(stop)s out of the rounds"),
}
_MOVED_WITHIN = _l("%(by)s put %(stop)s elsewhere in the round of %(to)s")
_CHANGES: Mapping[str, Any] = {
    "plan.locked": _l("%(by)s locked %(stop)s to %(to)s"),
    "plan.unlocked": _l("%(by)s unlocked %(stop)s"),
    "plan.round_locked": _l("%(by)s locked the whole round of %(to)s"),
    "plan.round_unlocked": _l("%(by)s unlocked the whole round of %(to)s"),
    "plan.round_given_up": _l("%(by)s gave the round of %(from)s to others"),
    "plan.stop_corrected": _l("%(by)s set %(stop)s right; it was planned anew"),
    "plan.stop_redirected": _l("%(stop)s was redirected to this address and planned anew"),
    "plan.published": _l("%(by)s published the plan"),
    "plan.cancelled": _l("%(by)s gave the plan up"),
}
# What follows from elsewhere, often without anybody of the company: whether it was in a round.
_CANCELLED: Mapping[bool, Any] = {
    True: _l("%(stop)s was cancelled and left the round of %(from)s"),
    False: _l("%(stop)s was cancelled"),
}
_AGAIN: Mapping[str, Any] = {
    "plan.undone": _l("%(by)s took back a change: %(stop)s"),
    "plan.redone": _l("%(by)s made a change again: %(stop)s"),
}
_BY = _l("%(what)s (%(by)s)")
_WHOLE_ROUND = _l("the round of %(to)s")


def change_text(change: Mapping[str, Any]) -> str:
    """One of the `changes` that a `StaleVersionError` carries."""
    return _sentence(
        change["action"], change["by"], change["stop"], change["from_courier"], change["to_courier"]
    )


def edit_text(one: Named) -> str:
    """An edit of the journal."""
    return _sentence(one.edit.action, one.by, one.stop, one.from_courier, one.to_courier)


def _sentence(action: str, by: str | None, stop: str | None, from_: str | None, to: str | None) -> str:
    values = {"by": by or "–", "stop": stop or "–", "from": from_ or "–", "to": to or "–"}
    if action == "plan.stop_moved":
        within = from_ is not None and from_ == to
        return str(_MOVED_WITHIN if within else _MOVED[from_ is not None, to is not None]) % values
    if action == "plan.stop_cancelled":
        text = str(_CANCELLED[from_ is not None]) % values
        return text if by is None else str(_BY) % {"what": text, "by": by}
    if action in _AGAIN:
        return str(_AGAIN[action]) % (values | {"stop": stop or str(_WHOLE_ROUND) % values})
    return str(_CHANGES[action]) % values
