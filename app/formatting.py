"""How figures, times and personal data are written on pages: Jinja filters of the same names.

Every function takes the exact integers that engines and tables hold (minor units, grams, metres, seconds) and
writes them in the language of the page. Nothing here passes through a float.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from babel import Locale, dates, numbers
from flask import Flask
from flask_babel import get_locale, gettext
from iso4217 import Currency
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from app.addresses import url_with
from app.masking import mask_address, mask_name, mask_phone

NO_BREAK = "\u00a0"

# What a time is written like: the whole moment, without its year, or the clock alone.
DATE_TIME = {
    "en": {"full": "d MMM yyyy, HH:mm", "short": "d MMM, HH:mm", "time": "HH:mm", "date": "EEE d MMM yyyy"},
    "zh": {
        "full": "yyyy年M月d日 HH:mm",
        "short": "M月d日 HH:mm",
        "time": "HH:mm",
        "date": "yyyy年M月d日 EEE",
    },
}

PATTERN_PARTS = re.compile("yyyy|MMM|M|d|EEE|HH|mm|[^a-zA-Z]+")
"""What the patterns are made of."""


def init_app(app: Flask) -> None:
    """Makes each function below a Jinja filter, and `url_with` a function of templates."""
    figures = (money, number, weight, distance, duration)
    times = (datetime_local, local_time, local_date)
    masks = (mask_phone, mask_name, mask_address)
    for function in (*figures, *times, *masks, listed, labelled):
        app.jinja_env.filters[function.__name__] = _at_each_request(function)
    app.jinja_env.filters["date"] = _at_each_request(calendar_date)
    app.jinja_env.globals["url_with"] = url_with


def listed(parts: Iterable[object]) -> str:
    """Some words one after the other, with the comma of the page's language; what is empty is left out."""
    comma, _colon = _marks()
    return escape(comma).join(escape(part) for part in parts if part)


def labelled(text: object, label: object) -> str:
    """A text behind its label, with the colon of the page's language."""
    _comma, colon = _marks()
    return escape(colon).join((escape(label), escape(text)))


def _marks() -> tuple[str, str]:
    """Comma and colon, with the space behind them that Latin script wants."""
    return ("，", "：") if _locale().language == "zh" else (", ", ": ")


def _at_each_request(function: Callable[..., str]) -> Callable[..., str]:
    """A filter that Jinja does not compute once for all languages where its argument is constant."""

    @pass_context
    def in_context(_context: Context, *values: object, **options: object) -> str:
        return function(*values, **options)

    return in_context


def _locale() -> Locale:
    return get_locale() or Locale("en")


def _whole(value: int, what: str) -> int:
    """Refuses floats and booleans, which would be written with an exactness they do not have."""
    if type(value) is not int:
        raise TypeError(f"{what} is a whole number, not {value!r}.")
    return value


def _decimal(value: Decimal, places: int, *, trim: bool = False) -> str:
    """A decimal in the page's language with `places` digits after its point; `trim`: at most so many."""
    pattern = "#,##0" + ("." + ("#" if trim else "0") * places if places else "")
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return numbers.format_decimal(rounded, pattern, locale=_locale())


def money(amount_minor: int, currency: str) -> str:
    """An amount of minor units (fen, cents): `¥12.34` on Chinese pages, `12.34 CNY` on English ones.

    Raises:
        TypeError: the amount is not a whole number.
        ValueError: the currency is not one of ISO 4217, or has no minor unit of its own (gold).
    """
    return _money(Decimal(_whole(amount_minor, "An amount")), currency)


def money_exact(amount_minor: Fraction, currency: str) -> str:
    """A part of an amount before it is rounded: to two digits beyond the minor unit, `≈8.6667 CNY`."""
    if amount_minor.denominator == 1:
        return money(amount_minor.numerator, currency)
    return "≈" + _money(Decimal(amount_minor.numerator) / amount_minor.denominator, currency, more_digits=2)


def _money(amount_minor: Decimal, currency: str, more_digits: int = 0) -> str:
    exponent = Currency(currency).exponent
    if exponent is None:
        raise ValueError(f"{currency} has no minor unit.")
    amount, digits = amount_minor.scaleb(-exponent), exponent + more_digits
    locale = _locale()
    if locale.language == "zh":
        sign = "-" if amount < 0 else ""
        return f"{sign}{numbers.get_currency_symbol(currency, locale)}{_decimal(abs(amount), digits)}"
    return f"{_decimal(amount, digits)}{NO_BREAK}{currency}"


def number(value: int | Decimal, places: int = 0) -> str:
    """A count or an exact decimal with separators: `12,345`."""
    if not isinstance(value, Decimal):
        value = Decimal(_whole(value, "A number"))
    return _decimal(value, places)


def weight(weight_g: int) -> str:
    """Grams below one kilogram, else kilograms: `850 g`, `1.25 kg`."""
    if abs(_whole(weight_g, "A weight")) < 1000:
        return f"{_decimal(Decimal(weight_g), 0)}{NO_BREAK}g"
    return f"{_decimal(Decimal(weight_g) / 1000, 3, trim=True)}{NO_BREAK}kg"


def distance(distance_m: int) -> str:
    """Metres below one kilometre, else kilometres, finer below a hundred: `850 m`, `12.3 km`, `1,240 km`."""
    if abs(_whole(distance_m, "A distance")) < 1000:
        return f"{_decimal(Decimal(distance_m), 0)}{NO_BREAK}m"
    return f"{_decimal(Decimal(distance_m) / 1000, 1 if abs(distance_m) < 100_000 else 0)}{NO_BREAK}km"


def duration(duration_s: int) -> str:
    """The two largest units of a span: `45 s`, `12 min`, `2 h 5 min`, `3 d 4 h`; backwards with a minus."""
    span_s = abs(_whole(duration_s, "A duration"))
    minutes, hours, days = span_s // 60, span_s // 3600, span_s // 86400
    if minutes == 0:
        text = gettext("%(seconds)s s", seconds=span_s)
    elif hours == 0:
        text = gettext("%(minutes)s min", minutes=minutes)
    elif days == 0:
        text = gettext("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes % 60)
    else:
        text = gettext("%(days)s d %(hours)s h", days=days, hours=hours % 24)
    return f"{'-' if duration_s < 0 else ''}{text}"


@functools.lru_cache
def _zone(offset_minutes: int) -> timezone:
    return timezone(timedelta(minutes=offset_minutes))


def at_place(moment: datetime, offset_minutes: int) -> datetime:
    """A moment by the clock at its place.

    Raises:
        ValueError: it has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; times are kept in UTC.")
    zone = _zone(offset_minutes)
    return moment if moment.tzinfo is zone else moment.astimezone(zone)


@functools.lru_cache
def _offset(offset_minutes: int) -> str:
    sign = "-" if offset_minutes < 0 else "+"
    hours, minutes = divmod(abs(offset_minutes), 60)
    return f"UTC{sign}{hours}" + (f":{minutes:02d}" if minutes else "")


def datetime_local(
    moment: datetime, offset_minutes: int, shape: str = "full", language: str | None = None
) -> str:
    """A moment as the clock at its place showed it.

    Args:
        moment: an aware time.
        offset_minutes: the place's distance from UTC when the moment was recorded.
        shape: `full` (with the year), `short` (without it), `time` or `date`.
        language: a key of `DATE_TIME`; that of the page where it is left out.
    """
    return _written(at_place(moment, offset_minutes), language or _locale().language, shape)


def _written(there: datetime, language: str, shape: str) -> str:
    pattern, months, days = _pattern(language, shape)
    return pattern.format(there, months[there.month], days[there.weekday()])


@functools.lru_cache  # Babel reads its pattern anew each time, which takes ten times as long
def _pattern(language: str, shape: str) -> tuple[str, Mapping[int, str], Mapping[int, str]]:
    """A pattern of `DATE_TIME` for `str.format`, and the names of months and days that it also takes."""
    locale = Locale.parse(language)
    known = {
        "yyyy": "{0.year:04}",
        "MMM": "{1}",
        "M": "{0.month}",
        "d": "{0.day}",
        "EEE": "{2}",
        "HH": "{0.hour:02}",
        "mm": "{0.minute:02}",
    }
    parts = PATTERN_PARTS.findall(DATE_TIME[language][shape])
    months, days = locale.months["format"]["abbreviated"], locale.days["format"]["abbreviated"]
    return "".join([known.get(part, part) for part in parts]), dict(months), dict(days)


def local_date(moment: datetime, offset_minutes: int) -> str:
    """The day at the place: `Sat 21 Nov 2026`."""
    return datetime_local(moment, offset_minutes, "date")


def local_time(
    moment: datetime,
    offset_minutes: int,
    shape: str = "full",
    zone: str = "viewer",
    language: str | None = None,
) -> Markup:
    """A `<time>` element: the place's time, which the browser makes the viewer's, the place's on hover.

    Args:
        moment: an aware time.
        offset_minutes: the place's distance from UTC when the moment was recorded.
        shape: as in `datetime_local`.
        zone: whose time stands in front, `viewer` or `place`; the other one is shown on hover.
        language: as in `datetime_local`.
    """
    language = language or _locale().language
    there = at_place(moment, offset_minutes)
    utc = f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"
    title = f"{_written(there, language, 'full')} {_offset(offset_minutes)}"
    # Made of figures and of words of this module: nothing in it can be other than it looks.
    return Markup(  # noqa: S704
        f'<time datetime="{utc}" data-offset="{offset_minutes}" data-shape="{shape}" data-zone="{zone}" '
        f'title="{title}">{_written(there, language, shape)}</time>'
    )


def calendar_date(day: date) -> str:
    """A day that belongs to no place, such as a statement's: `Sat 21 Nov 2026`. The filter is `date`."""
    locale = _locale()
    return dates.format_date(day, DATE_TIME[locale.language]["date"], locale=locale)
