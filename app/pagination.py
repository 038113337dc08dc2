"""Cursors: a page is continued after its last row, never by counting rows."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from app.errors import BadRequestError

T = TypeVar("T")

LIMIT_DEFAULT = 50
LIMIT_MAX = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows of one page and the cursor of the next; None at the end."""

    rows: Sequence[T]
    next_cursor: str | None


def encode_cursor(*key: Any) -> str:
    """The sort key of a page's last row as an opaque text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode_cursor(cursor: str, types: type[Any]) -> Any:
    """The sort key in a cursor.

    Args:
        cursor: What `encode_cursor` gave.
        types: A tuple type such as `tuple[datetime, int]` that the key must have.

    Raises:
        BadRequestError: The cursor is not one of ours.
    """
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=types)
    except (ValueError, msgspec.DecodeError) as error:
        raise BadRequestError("the cursor is not valid") from error


def page_of(rows: Sequence[T], limit: int, key: Any) -> Page[T]:
    """Make a page of `limit` rows out of up to `limit + 1` that were read.

    Args:
        rows: What the query gave with `LIMIT limit + 1`.
        limit: Rows a page.
        key: Function from a row to the tuple that the next page continues after.
    """
    more = len(rows) > limit
    shown = rows[:limit]
    return Page(shown, encode_cursor(*key(shown[-1])) if more and shown else None)
