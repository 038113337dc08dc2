"""What a station and a dock say to a scan."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands in the big field after a scan."""

    headline: str
    tone: str
    detail: str
