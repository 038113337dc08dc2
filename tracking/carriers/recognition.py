"""Which carrier a number is of: its form decides, and its check digit where it has one.

Forms overlap: twelve digits may be FedEx's or Purolator's, and both check digits may be right. So all
carriers that it can be of are told, and a person says which; most numbers leave one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from tracking.carriers.formats import Format, formats
from tracking.numbers import COUNTRIES, normalise

NUMBER_LENGTH_MAX = 100
"""Characters, before spaces and hyphens are dropped; the longest has 41, and people group them."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A carrier that a number can be of.

    Attributes:
        number: without spaces, in capitals.
        carrier: the carrier's code; `s10` for all postal operators.
        carrier_name: the carrier's name; of a postal operator its own.
        format_key: which of the carrier's formats it has.
        is_checked: whether a check digit speaks for it, not its form alone.
        tracking_url: the carrier's own page about it; None where there is none.
    """

    number: str
    carrier: str
    carrier_name: str
    format_key: str
    is_checked: bool
    tracking_url: str | None


def recognise(text: str) -> tuple[Recognised, ...]:
    """Return every carrier that a number can be of, checked ones first; none where it is none.

    Each carrier is told once, by its first format that fits.
    """
    if len(text) > NUMBER_LENGTH_MAX:
        return ()
    found: dict[str, Recognised] = {}
    for one in sorted(_fitting(normalise(text)), key=lambda one: not one.is_checked):
        found.setdefault(one.carrier, one)
    return tuple(found.values())


def fits(number: str, form: Format) -> Recognised | None:
    """Return what a normalised number is by one format; None where it has not its form or its check digit."""
    match = form.pattern.fullmatch(number)
    if match is None:
        return None
    parts = match.groupdict()
    if form.check_digit is not None:
        serial = parts["SerialNumber"]
        if form.prepended is not None and form.prepended[0].match(serial):
            serial = form.prepended[1] + serial
        if form.check_digit(serial) != parts["CheckDigit"]:
            return None
    name = form.carrier_name
    if form.operators is not None:
        country = parts["CountryCode"]
        if country not in form.operators and country not in COUNTRIES:
            return None
        name = form.operators.get(country, f"{form.carrier_name} ({country})")
    url = None if form.tracking_url is None else form.tracking_url.replace("%s", quote(number, safe=""))
    return Recognised(number, form.carrier, name, form.key, form.check_digit is not None, url)


def _fitting(number: str) -> Iterator[Recognised]:
    for form in formats():
        found = fits(number, form)
        if found is not None:
            yield found
