"""Words for events, states and failures of webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

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
