"""What Python says of parcels, as constants and expressions of SQL: words, ranks and the shapes of times.

One source of each word: the statement of the public document (`app.shipments.document_sql`) is made from the
tables that pages and engines speak by, so that the database can put a document together where its facts lie.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from babel import Locale
from flask_babel import gettext as _

from app import i18n
from app.formatting import DATE_TIME, PATTERN_PARTS
from app.i18n import Language
from app.shipments.words import SENTENCES, reason_words
from tracking.mappings import BY_CODE, BY_REASON, Foreign

GAPS = ("since", "place", "reason", "day", "start", "end")
"""What a sentence has gaps for."""

_MARK = re.compile(r"%\((\w+)\)s")
# What `to_char` calls the parts of Babel's patterns; names of months and days come from Babel itself.
_TO_CHAR = {"d": "FMDD", "M": "FMMM", "yyyy": "YYYY", "HH": "HH24", "mm": "MI"}


def text(value: str) -> str:
    """A text as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def texts(values: Collection[str]) -> str:
    """An array of texts."""
    return f"ARRAY[{', '.join(text(str(value)) for value in values)}]"


def table(rows: Mapping[str, object]) -> str:
    """A table to be asked by `->>`: what each key stands for."""
    return text(json.dumps(rows, ensure_ascii=False)) + "::jsonb"


def vocabularies(words: Foreign) -> dict[str, list[str]]:
    """A state in the words of other systems, as documents hold it."""
    return {
        "aftership": list(words.aftership),
        "easypost": list(words.easypost),
        "shipengine": list(words.shipengine),
        "17track": list(words.seventeentrack),
        **({} if words.kdniao is None else {"kdniao": [words.kdniao]}),
    }


def all_vocabularies() -> str:
    """The vocabularies of each code and reason, as text of JSON."""
    rows = (*BY_CODE.items(), *BY_REASON.items())
    return table({str(key): json.dumps(vocabularies(words)) for key, words in rows})


@dataclass(frozen=True, slots=True)
class Words:
    """What a language says, each an expression of SQL.

    Attributes:
        coming: a table of sentences by key, the time of arrival in front; and
        standing: the same without it; both for `format` with what `GAPS` names.
        reasons: a table of reasons.
        no_reason: what stands where none was given.
        unnamed: what stands for a place without a name.
    """

    coming: str
    standing: str
    reasons: str
    no_reason: str
    unnamed: str

    @classmethod
    def of(cls, language: Language) -> Words:
        """The words of a language; needs an application's context, as every translation does."""
        with i18n.in_language(language.code):
            clauses = {key: str(words) for key, words in SENTENCES.items()}
            window = _("%(day)s, %(start)s to %(end)s", day="%(day)s", start="%(start)s", end="%(end)s")
            arrives = clauses.pop("arrives") % {"window": window}
            reasons, no_reason = reason_words()
            return cls(
                table({key: _sentence(_("; ").join((arrives, clause))) for key, clause in clauses.items()}),
                table({key: _sentence(clause) for key, clause in clauses.items()}),
                table({reason: str(words) for reason, words in reasons.items()}),
                text(str(no_reason)),
                text(_("an unnamed place")),
            )


def _sentence(clauses: str) -> str:
    """A sentence whose gaps are numbered as `format` wants them."""
    return _MARK.sub(lambda mark: f"%{GAPS.index(mark[1]) + 1}$s", _("%(sentence)s.", sentence=clauses))


def local_time(moment: str, shape: str, language: Language) -> str:
    """The expression that writes a local timestamp as `app.formatting.datetime_local` does.

    Args:
        moment: an expression of a timestamp without zone, by the clock at its place.
        shape: as there.
        language: whose pattern and names are taken.
    """
    locale = Locale.parse(language.locale)
    parts: list[str] = []
    plain = ""
    for part in PATTERN_PARTS.findall(DATE_TIME[locale.language][shape]):
        if part in ("MMM", "EEE"):
            if plain:
                parts.append(f"to_char({moment}, {text(plain)})")
            plain = ""
            parts.append(_name(moment, part, locale))
        else:
            plain += _TO_CHAR.get(part, f'"{part}"')
    if plain:
        parts.append(f"to_char({moment}, {text(plain)})")
    return " || ".join(parts)


def _name(moment: str, part: str, locale: Locale) -> str:
    if part == "MMM":
        names = locale.months["format"]["abbreviated"]
        return f"({texts([names[month] for month in range(1, 13)])})[extract(month FROM {moment})]"
    names = locale.days["format"]["abbreviated"]  # Monday is 0
    return f"({texts([names[day] for day in range(7)])})[extract(isodow FROM {moment})]"
