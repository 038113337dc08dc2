"""Words for events, states and failures of webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from app.webhooks.destinations import URL_LENGTH_MAX, Refusal
from app.webhooks.models import EndpointState, Failure, MessageState
from app.webhooks.values import PING, EventType

EVENT_TYPES: Mapping[EventType, Any] = {
    EventType.BOOKED: _l("Booked"),
    EventType.STATE_CHANGED: _l("State changed"),
    EventType.RECEIPT_CONFIRMED: _l("Receipt confirmed"),
}
MESSAGE_TYPES: Mapping[str, Any] = {
    **{str(key): word for key, word in EVENT_TYPES.items()},
    PING: _l("Test message"),
}
# State -> (word, tone of its pill).
ENDPOINT_STATES: Mapping[EndpointState, tuple[Any, str]] = {
    EndpointState.ACTIVE: (_l("Switched on"), "ok"),
    EndpointState.PAUSED: (_l("Paused"), "neutral"),
    EndpointState.GONE: (_l("Off: it answered 410"), "bad"),
}
MESSAGE_STATES: Mapping[MessageState, tuple[Any, str]] = {
    MessageState.WAITING: (_l("Waits to be sent"), "progress"),
    MessageState.DELIVERED: (_l("Taken"), "ok"),
    MessageState.FAILED: (_l("Given up"), "bad"),
}
FAILURES: Mapping[Failure, Any] = {
    Failure.STATUS: _l("refused"),
    Failure.REDIRECT: _l("sent elsewhere, which is not followed"),
    Failure.TIMEOUT: _l("no whole answer in time"),
    Failure.NAME: _l("the name is not known"),
    Failure.ADDRESS: _l("the address is not public"),
    Failure.CONNECTION: _l("no connection"),
    Failure.TLS: _l("no safe connection"),
    Failure.PROTOCOL: _l("the answer was not HTTP"),
}
REFUSALS: Mapping[Refusal, Any] = {
    Refusal.LONG: _l("At most %(num)s characters.", num=URL_LENGTH_MAX),
    Refusal.CHARACTERS: _l("An address has no blanks and only ASCII letters: write the host as xn--…"),
    Refusal.NO_URL: _l("This is not an address."),
    Refusal.SCHEME: _l("It must begin with https://."),
    Refusal.USER: _l("No user and password in the address: the signature says who sends."),
    Refusal.FRAGMENT: _l("No part behind #: it is never sent."),
    Refusal.PORT: _l("The port must be 443, or 1024 and above."),
    Refusal.INSIDE: _l("This address is not one of the public internet."),
    Refusal.HOST: _l("The host is missing or not a name."),
}
