"""Signatures of Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`, one for each key in force."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

_PREFIX = "whsec_"
_KEY_BYTES = 32


def new_key() -> bytes:
    """A random symmetric key; the standard asks for 24 to 64 bytes."""
    return secrets.token_bytes(_KEY_BYTES)


def secret_text(key: bytes) -> str:
    """A key as it is shown to the receiver's people."""
    return _PREFIX + base64.b64encode(key).decode()


def key_of(secret: str) -> bytes:
    """The key in a `whsec_` text.

    Raises:
        ValueError: It is no such text.
    """
    if not secret.startswith(_PREFIX):
        raise ValueError(f"a webhook secret begins with {_PREFIX}")
    return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)


def signature(key: bytes, message_key: str, timestamp_s: int, body: bytes) -> str:
    """One signature: `v1,` and the base64 of the HMAC."""
    signed = b".".join((message_key.encode(), str(timestamp_s).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def signed_headers(keys: Sequence[bytes], message_key: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a delivery.

    Args:
        keys: Those in force, the newest first; a receiver that knows one of them is content.
        message_key: The message's id, the same over all its tries.
        at: When this try is made: a receiver refuses what is old, so each try is signed anew.
        body: The bytes as they are sent.
    """
    timestamp_s = int(at.timestamp())
    return {
        "webhook-id": message_key,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(signature(key, message_key, timestamp_s, body) for key in keys),
    }
