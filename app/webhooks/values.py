"""What an endpoint may be told of, when a message is tried again, and what people send to register one."""

from __future__ import annotations

import enum
import random
import re
from dataclasses import dataclass
from datetime import timedelta

from app.errors import InvalidInputError
from app.notify.template import LOCALES
from app.webhooks.destinations import DestinationError, destination
from tracking.shipment import Milestone


class EventType(enum.StrEnum):
    """What can be subscribed to."""

    BOOKED = "shipment.booked"
    STATE_CHANGED = "shipment.state_changed"
    RECEIPT_CONFIRMED = "shipment.receipt_confirmed"


PING = "webhook.ping"
"""Sent when somebody asks for it, whatever the endpoint subscribed to."""

# The waits before each try, as Standard Webhooks proposes them: 75 hours and a half in all.
WAITS = tuple(
    timedelta(seconds=seconds) for seconds in (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
TRIES_MAX = len(WAITS)
# What could not be tried ten times because its endpoint had to rest is given up after so long all the same.
GIVEN_UP_AFTER = timedelta(days=5)
_JITTER = 0.2

# How long an endpoint rests after failures one after the other: 1, 2, 4 ... seconds, an hour at most. Even a
# thousand dead receivers that each take their whole 15 seconds then cost four threads and not all of them.
_REST_S_MAX = 3600
# What a receiver that says "too much" without saying how long gets, doubled each time.
_THROTTLE_S, _THROTTLE_S_MAX = 30, 3600

DESCRIPTION_LENGTH_MAX = 200
MAIL_PATTERN = r"[^@\s]{1,64}@[^@\s]{1,190}"


def wait_before(tries: int, chance: random.Random) -> timedelta | None:
    """How long to wait before the next try, a little longer by chance so that many do not come at once.

    Args:
        tries: Those made in this round; None is answered when all are used up.
        chance: Where the jitter comes from: up to a fifth on top, never earlier.
    """
    if tries >= TRIES_MAX:
        return None
    return WAITS[tries] * (1 + _JITTER * chance.random())


def rest_after(failures_running: int) -> timedelta:
    """How long an endpoint is left alone after so many failures one after the other."""
    return timedelta(seconds=min(_REST_S_MAX, 2 ** min(failures_running - 1, 30)))


def throttle_after(failures_running: int, retry_after_s: int | None) -> timedelta:
    """How long an endpoint is left alone that answered 429, 502 or 504."""
    if retry_after_s is not None:
        return max(timedelta(seconds=retry_after_s), rest_after(failures_running))
    return timedelta(seconds=min(_THROTTLE_S_MAX, _THROTTLE_S * 2 ** min(failures_running - 1, 30)))


@dataclass(frozen=True, slots=True)
class EndpointInput:
    """An endpoint as somebody wants it.

    Args:
        url: Where to post.
        event_types: At least one.
        milestones: Of `shipment.state_changed` only these; none means all.
        description: What it is for, for people.
        contact_email: Who is written to when deliveries fail for good.
        locale: In which language.
    """

    url: str
    event_types: frozenset[EventType]
    milestones: frozenset[Milestone] = frozenset()
    description: str = ""
    contact_email: str | None = None
    locale: str = "zh"

    def check(self, *, allow_loopback: bool) -> None:
        """Look at every field.

        Raises:
            InvalidInputError: Names each field that is wrong.
        """
        errors = []
        try:
            destination(self.url, allow_loopback=allow_loopback)
        except DestinationError as error:
            errors.append({"detail": str(error), "pointer": "/url"})
        if not self.event_types:
            errors.append({"detail": "choose at least one", "pointer": "/event_types"})
        if len(self.description) > DESCRIPTION_LENGTH_MAX:
            errors.append(
                {"detail": f"at most {DESCRIPTION_LENGTH_MAX} characters", "pointer": "/description"}
            )
        if self.contact_email is not None and not re.fullmatch(MAIL_PATTERN, self.contact_email):
            errors.append({"detail": "this is not a mail address", "pointer": "/contact_email"})
        if self.locale not in LOCALES:
            errors.append({"detail": f"one of {', '.join(LOCALES)}", "pointer": "/locale"})
        if errors:
            raise InvalidInputError("the endpoint cannot be made like this", errors)
