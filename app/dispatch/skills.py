"""What couriers can do that not everybody can, and what stops need of them: words of the company's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.dispatch.models import Courier
from app.errors import InvalidInputError

SKILLS_MAX = 20
LENGTH_MAX = 40
_APART = re.compile(r"[,，、;；\n]+")


def clean_skills(words: Iterable[str]) -> list[str]:
    """Skills as they are stored: in small letters, each once, by name.

    Raises:
        InvalidInputError: there are too many, or one is too long.
    """
    found = sorted({" ".join(word.split()).casefold() for word in words} - {""})
    if len(found) > SKILLS_MAX or any(len(word) > LENGTH_MAX for word in found):
        detail = f"at most {SKILLS_MAX} skills of at most {LENGTH_MAX} letters"
        raise InvalidInputError("too many skills", [{"detail": detail, "pointer": "/skills"}])
    return found


def split_skills(text: str) -> list[str]:
    """What somebody typed into one field, with commas of any kind between.

    Raises:
        InvalidInputError: see `clean_skills`.
    """
    return clean_skills(_APART.split(text))


def known_skills(session: Session) -> Sequence[str]:
    """Every skill that some courier has, by name."""
    word = sa.func.unnest(Courier.skills).label("word")
    rows = sa.select(word).where(Courier.active).distinct().subquery()
    return session.scalars(sa.select(rows.c.word).order_by(rows.c.word)).all()
