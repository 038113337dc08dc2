"""Figures, times and personal data as pages write them, in both languages."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import formatting, i18n, masking

MOMENT = datetime(2026, 11, 21, 18, 3, 59, tzinfo=UTC)
NB = "\u00a0"


@pytest.fixture(scope="module")
def pages() -> flask.Flask:
    app = flask.Flask("app")
    i18n.init_app(app)
    formatting.init_app(app)
    return app


def render(pages: flask.Flask, template: str, language: str, **values: Any) -> str:
    with pages.test_request_context(f"/list?lang={language}&sort=number&tag=a&tag=b"):
        return flask.render_template_string(template, **values)


def test_a_part_of_an_amount_shows_what_rounding_will_take(pages: flask.Flask) -> None:
    for amount, chinese, english in (
        (Fraction(1234), "¥12.34", f"12.34{NB}CNY"),
        (Fraction(2600, 3), "≈¥8.6667", f"≈8.6667{NB}CNY"),
        (Fraction(-1, 3), "≈-¥0.0033", f"≈-0.0033{NB}CNY"),
    ):
        for language, expected in (("zh", chinese), ("en", english)):
            with pages.test_request_context(f"/list?lang={language}"):
                assert formatting.money_exact(amount, "CNY") == expected


@pytest.mark.parametrize(
    ("amount_minor", "currency", "chinese", "english"),
    [
        (1234, "CNY", "¥12.34", f"12.34{NB}CNY"),
        (0, "CNY", "¥0.00", f"0.00{NB}CNY"),
        (-5, "CNY", "-¥0.05", f"-0.05{NB}CNY"),
        (123_456_789, "CNY", "¥1,234,567.89", f"1,234,567.89{NB}CNY"),
        (1500, "JPY", "JP¥1,500", f"1,500{NB}JPY"),
        (1500, "USD", "US$15.00", f"15.00{NB}USD"),
        (1500, "KWD", "KWD1.500", f"1.500{NB}KWD"),
    ],
)
def test_money(pages: flask.Flask, amount_minor: int, currency: str, chinese: str, english: str) -> None:
    template = "{{ amount|money(currency) }}"
    assert render(pages, template, "zh", amount=amount_minor, currency=currency) == chinese
    assert render(pages, template, "en", amount=amount_minor, currency=currency) == english


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_money_keeps_every_minor_unit(amount_minor: int) -> None:
    written = formatting.money(amount_minor, "CNY").removesuffix(f"{NB}CNY").replace(",", "")
    assert Decimal(written) * 100 == amount_minor


@pytest.mark.parametrize("amount", [12.34, True, Decimal("12.34"), "12"])
def test_money_refuses_what_is_not_whole(amount: Any) -> None:
    with pytest.raises(TypeError):
        formatting.money(amount, "CNY")


def test_money_refuses_currencies_without_minor_units() -> None:
    with pytest.raises(ValueError, match="XAU"):
        formatting.money(1, "XAU")
    with pytest.raises(ValueError, match="ABC"):
        formatting.money(1, "ABC")


def test_a_constant_is_written_in_each_language(pages: flask.Flask) -> None:
    template = "{{ 1234|money('CNY') }}"
    assert [render(pages, template, "zh"), render(pages, template, "en")] == ["¥12.34", f"12.34{NB}CNY"]


@pytest.mark.parametrize(
    ("function", "value", "written"),
    [
        (formatting.weight, 0, "0 g"),
        (formatting.weight, 999, "999 g"),
        (formatting.weight, 1000, "1 kg"),
        (formatting.weight, 1250, "1.25 kg"),
        (formatting.weight, 12_345_678, "12,345.678 kg"),
        (formatting.distance, 850, "850 m"),
        (formatting.distance, 12_345, "12.3 km"),
        (formatting.distance, 1_239_600, "1,240 km"),
        (formatting.number, 12_345, "12,345"),
    ],
)
def test_measures(function: Any, value: int, written: str) -> None:
    assert function(value) == written.replace(" ", NB)


def test_numbers_with_places() -> None:
    assert formatting.number(Decimal("99.95"), 1) == "100.0"
    with pytest.raises(TypeError):
        formatting.number(0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "0 s", "0 秒"),
        (59, "59 s", "59 秒"),
        (60, "1 min", "1 分钟"),
        (3599, "59 min", "59 分钟"),
        (7500, "2 h 5 min", "2 小时 5 分"),
        (273_600, "3 d 4 h", "3 天 4 小时"),
        (-7500, "-2 h 5 min", "-2 小时 5 分"),
    ],
)
def test_duration(pages: flask.Flask, seconds: int, english: str, chinese: str) -> None:
    assert render(pages, "{{ s|duration }}", "en", s=seconds) == english
    assert render(pages, "{{ s|duration }}", "zh", s=seconds) == chinese


@pytest.mark.parametrize(
    ("language", "offset_minutes", "shape", "written"),
    [
        ("en", 480, "full", "22 Nov 2026, 02:03"),
        ("en", 0, "short", "21 Nov, 18:03"),
        ("en", -210, "time", "14:33"),
        ("en", 480, "date", "Sun 22 Nov 2026"),
        ("zh", 480, "full", "2026年11月22日 02:03"),
        ("zh", 480, "short", "11月22日 02:03"),
        ("zh", 480, "date", "2026年11月22日 周日"),
    ],
)
def test_time_at_the_place(
    pages: flask.Flask, language: str, offset_minutes: int, shape: str, written: str
) -> None:
    template = "{{ moment|datetime_local(offset, shape) }}"
    assert render(pages, template, language, moment=MOMENT, offset=offset_minutes, shape=shape) == written


def test_time_element_carries_what_the_browser_needs(pages: flask.Flask) -> None:
    element = render(pages, "{{ moment|local_time(345, shape='short', zone='place') }}", "en", moment=MOMENT)
    assert element == (
        '<time datetime="2026-11-21T18:03:59Z" data-offset="345" data-shape="short" data-zone="place" '
        'title="21 Nov 2026, 23:48 UTC+5:45">21 Nov, 23:48</time>'
    )


def test_time_without_a_zone_is_refused() -> None:
    for write in (formatting.datetime_local, formatting.local_time, formatting.local_date):
        with pytest.raises(ValueError, match="no time zone"):
            write(datetime(2026, 11, 21), 480)  # noqa: DTZ001 - the mistake that is refused


def test_calendar_day(pages: flask.Flask) -> None:
    assert render(pages, "{{ day|date }}", "zh", day=date(2026, 11, 1)) == "2026年11月1日 周日"


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13812345678", "138******78"),
        ("138 1234 5678", "138******78"),
        ("+86 138-1234-5678", "+86 138******78"),
        ("008613812345678", "+86 138******78"),
        ("021-62345678", "021******78"),
        ("62345678", "******78"),
        ("95338", "*****"),
        ("", ""),
    ],
)
def test_mask_phone(phone: str, masked: str) -> None:
    assert masking.mask_phone(phone) == masked


@given(st.text(alphabet="0123456789 -+()", max_size=20))
def test_mask_phone_hides_six_digits_and_the_key_to_the_tracking_page(phone: str) -> None:
    masked = masking.mask_phone(phone)
    digits = [letter for letter in phone if letter.isdigit()]
    assert masked.count("*") >= min(6, len(digits))
    assert "".join(digits[-4:]) not in masked or len(digits) == 0


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("欧阳娜娜", "欧***"),
        ("Jane Doe", "J*** D**"),
        ("李", "*"),
        ("J Lo", "* L*"),
        ("", ""),
    ],
)
def test_mask_name(name: str, masked: str) -> None:
    assert masking.mask_name(name) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("上海市浦东新区世纪大道100号3栋2单元501室", "上海市浦东新区世纪大道100号3栋**单元**室"),
        ("解放大道688号 二单元 1203室", "解放大道688号 **单元 **室"),
        ("幸福小区12号楼8层A座", "幸福小区12号楼**层A座"),
        ("幸福小区3-2-501", "幸福小区**"),
        ("幸福小区 1203", "幸福小区**"),
        ("12 Harbour Road, Flat 5B", "12 Harbour Road, Flat **"),
        ("Unit 7, 88 Queen's Road", "Unit **, 88 Queen's Road"),
        ("88 Queen's Road #12-03", "88 Queen's Road #**"),
        ("武汉市江汉区解放大道688号", "武汉市江汉区解放大道688号"),
    ],
)
def test_mask_address(address: str, masked: str) -> None:
    assert masking.mask_address(address) == masked


def test_address_with_a_part_changed(pages: flask.Flask) -> None:
    assert (
        render(pages, "{{ url_with(sort='-number', cursor=none, page=2) }}", "en").replace("&amp;", "&")
        == "/list?lang=en&tag=a&tag=b&sort=-number&page=2"
    )


def test_words_follow_each_other_as_the_language_has_it(pages: flask.Flask) -> None:
    listed, labelled = "{{ [one, none, other]|listed }}", "{{ other|labelled(one) }}"
    for language, comma, colon in (("zh", "，", "："), ("en", ", ", ": ")):
        values = {"one": "公路", "other": "<b>"}
        assert render(pages, listed, language, **values) == f"公路{comma}&lt;b&gt;"
        assert render(pages, labelled, language, **values) == f"公路{colon}&lt;b&gt;"
