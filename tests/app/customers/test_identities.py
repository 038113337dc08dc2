"""Phones, mail addresses and cards in one normal form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.customers.identities import local_phone, normal_form
from app.customers.models import IdentityKind

PHONE, EMAIL, CARD = IdentityKind.PHONE, IdentityKind.EMAIL, IdentityKind.CARD


@pytest.mark.parametrize(
    "typed",
    [
        "13800138000",
        " 138 0013 8000 ",
        "138-0013-8000",
        "+86 138 0013 8000",
        "+8613800138000",
        "008613800138000",
        "8613800138000",
        "(+86)138.0013.8000",
        "013800138000",
        "１３８００１３８０００",
        "＋８６　１３８　００１３　８０００",
        "138–0013–8000",
    ],
)
def test_one_mobile_however_it_is_typed(typed: str) -> None:
    assert normal_form(PHONE, typed) == "+8613800138000"


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("028-85551234", "+862885551234"),
        ("(028) 8555 1234", "+862885551234"),
        ("+86 28 85551234", "+862885551234"),
        ("+86 028 85551234", "+862885551234"),
        ("010 6655 1234", "+861066551234"),
        ("0755-26551234", "+8675526551234"),
        ("0859-3212345", "+868593212345"),
        ("028-85551234-801", "+862885551234;ext=801"),
        ("028-85551234转801", "+862885551234;ext=801"),
        ("028 8555 1234 分机801", "+862885551234;ext=801"),
        ("400-812-3456", "+864008123456"),
        ("+852 2345 6789", "+85223456789"),
        ("00 44 20 7946 0958", "+442079460958"),
    ],
)
def test_landlines_service_numbers_and_foreign_ones(typed: str, normal: str) -> None:
    assert normal_form(PHONE, typed) == normal


@pytest.mark.parametrize(
    "typed",
    ["", " ", "12345", "85551234", "2885551234", "1380013800", "138001380000", "12800138000", "+86", "+1",
     "phone", "13800138000abc", "+8612345", "028-1", "+00000000", "٠١٣٨٠٠١٣٨٠٠٠x"],
)  # fmt: skip
def test_what_is_no_phone(typed: str) -> None:
    assert normal_form(PHONE, typed) is None


@pytest.mark.parametrize(
    "typed", ["13800138000", "028-85551234", "028-85551234-801", "400-812-3456", "+852 2345 6789"]
)
def test_a_normal_form_is_its_own_and_dials_back(typed: str) -> None:
    normal = normal_form(PHONE, typed)
    assert normal is not None
    assert normal_form(PHONE, normal) == normal
    assert normal_form(PHONE, local_phone(normal)) == normal


@given(st.text(max_size=30))
def test_any_text_has_a_stable_normal_form_or_none(text: str) -> None:
    for kind in IdentityKind:
        normal = normal_form(kind, text)
        assert normal is None or normal_form(kind, normal) == normal


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.lists(st.integers(0, 11), max_size=4))
def test_filling_never_changes_a_mobile(mobile: str, gaps: list[int]) -> None:
    typed = mobile
    for gap in sorted(gaps, reverse=True):
        typed = f"{typed[:gap]} {typed[gap:]}"
    assert normal_form(PHONE, typed) == f"+86{mobile}"


def test_mail_and_cards() -> None:
    assert normal_form(EMAIL, " Wang.Fang@Example.COM ") == "wang.fang@example.com"
    assert normal_form(EMAIL, "ｗａｎｇ＠example.com") == "wang@example.com"
    assert [normal_form(EMAIL, bad) for bad in ("wang", "a@b", "a b@c.d", "@c.d", "a@c..d")] == [None] * 5
    assert normal_form(CARD, "vip 0001-2345") == "VIP00012345"
    assert normal_form(CARD, "v!p") is None
