"""The wording of a message in each language, checked when it is written."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

LOCALES = ("zh", "en")
PUBLIC_URL = "{public_url}"
"""Stands in a message's body where a link begins, until it is sent: only then the address is known."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A message in one language, with `{placeholders}`; SMS leave the subject out."""

    subject: str
    body: str

    @property
    def placeholders(self) -> frozenset[str]:
        """The names that a caller must fill in."""
        parts = [*string.Formatter().parse(self.subject), *string.Formatter().parse(self.body)]
        return frozenset(name for _text, name, _format, _conversion in parts if name is not None)


@dataclass(frozen=True, slots=True)
class Template:
    """A message that a room sends, in the recipient's language and not in that of a page.

    Args:
        name: What it is called in the tables.
        wordings: By language.
        same_placeholders: Whether one that is missing in a language is a mistake; people may leave some out.

    Raises:
        ValueError: A language is missing, or the languages do not have the same placeholders.
    """

    name: str
    wordings: Mapping[str, Wording]
    same_placeholders: bool = True

    def __post_init__(self) -> None:
        if set(self.wordings) != set(LOCALES):
            raise ValueError(f"message {self.name} must be written in {' and '.join(LOCALES)}")
        if self.same_placeholders and len({wording.placeholders for wording in self.wordings.values()}) != 1:
            raise ValueError(f"message {self.name} has other placeholders in another language")

    def render(self, locale: str, params: Mapping[str, str]) -> tuple[str, str]:
        """Subject and body in a language of `LOCALES`; a line break in the subject becomes a space.

        Raises:
            KeyError: There is no such language, or a placeholder has no value.
        """
        wording = self.wordings[locale]
        subject = " ".join(wording.subject.format_map(params).split())
        return subject, wording.body.format_map(params)
