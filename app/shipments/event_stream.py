"""The public document as Server-Sent Events."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import msgspec

from tracking.transitions import TERMINAL

CONTENT_TYPE: Final = "text/event-stream; charset=utf-8"
END: Final = b"event: end\ndata:\n\n"
"""What is told when nothing more is expected to happen."""

_OVER: Final = frozenset(one.value for one in TERMINAL)


def retry(after_ms: int) -> bytes:
    """After how many milliseconds one comes back whose stream has ended."""
    return b"retry: %d\n\n" % after_ms


@dataclass(frozen=True, slots=True)
class Told:
    """A document as an event.

    Attributes:
        id: a digest: the same document has the same one wherever and whenever it is told.
        event: as it stands in a stream.
        over: whether nothing more is expected to happen.
    """

    id: str
    event: bytes
    over: bool

    @classmethod
    def of(cls, document: bytes) -> Told:
        """A document as it is told."""
        digest = hashlib.blake2s(document, digest_size=8).hexdigest()
        event = b"id: %b\nevent: document\ndata: %b\n\n" % (digest.encode(), document)
        return cls(digest, event, msgspec.json.decode(document)["milestone"] in _OVER)

    def after(self, seen: str | None) -> bytes:
        """What one is told who was told the event of an id last."""
        return (b"" if self.id == seen else self.event) + (END if self.over else b"")
