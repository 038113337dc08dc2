"""Waybill numbers, S10 and SSCC against published vectors and properties."""

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.errors import NumberError
from tracking.numbers import (
    CONTAINER_SERIAL_MAX,
    SERIAL_MAX,
    container_number,
    container_number_in,
    is_s10,
    is_sscc,
    is_waybill_number,
    iso7064_check_digit,
    normalise,
    s10_check_digit,
    s10_number,
    sscc,
    sscc_check_digit,
    waybill_number,
    waybill_serial,
)

KEY = b"a key of sixteen bytes or more"[:32]
ROOT = Path(__file__).parents[2]
VECTORS = Path(os.environ.get("WHEELHOUSE_DATA", ROOT / "../shared/data")) / "numbers/tracking_number_data"

serials = st.integers(0, SERIAL_MAX)


@pytest.mark.parametrize(
    ("digits", "check"),
    # The standard's own example; a German VAT number and a Croatian OIB, which use the same system.
    [("0794", 5), ("13669597", 6), ("6943515153", 0)],
)
def test_iso_7064_mod_11_10(digits, check):
    assert iso7064_check_digit(digits) == check


@given(serials)
def test_a_serial_comes_back(serial):
    number = waybill_number(serial, prefix="WH", key=KEY)
    assert is_waybill_number(number)
    assert waybill_serial(number, key=KEY) == serial


@given(serials, st.integers(2, 13), st.integers(1, 9))
def test_every_wrong_digit_is_found(serial, place, shift):
    number = waybill_number(serial, prefix="WH", key=KEY)
    wrong = (int(number[place]) + shift) % 10
    assert not is_waybill_number(f"{number[:place]}{wrong}{number[place + 1 :]}")


def test_consecutive_serials_do_not_collide_and_do_not_tell_the_next():
    payloads = [int(waybill_number(serial, prefix="WH", key=KEY)[2:13]) for serial in range(2000)]
    assert len(set(payloads)) == 2000
    rising = sum(later > earlier for earlier, later in pairwise(payloads))
    assert 900 < rising < 1100
    # Spread over the whole range: every tenth of it holds about a tenth of them.
    tenths = [payload * 10 // 10**11 for payload in payloads]
    assert all(140 < tenths.count(tenth) < 260 for tenth in range(10))


def test_key_and_prefix_change_every_number():
    number = waybill_number(7, prefix="WH", key=KEY)
    assert waybill_number(7, prefix="WI", key=KEY)[2:] != number[2:]
    assert waybill_number(7, prefix="WH", key=KEY[::-1])[2:] != number[2:]


@pytest.mark.parametrize(
    ("serial", "prefix", "key"),
    [(-1, "WH", KEY), (SERIAL_MAX + 1, "WH", KEY), (1, "W", KEY), (1, "wh", KEY), (1, "WH", b"short")],
)
def test_what_cannot_be_a_number_is_refused(serial, prefix, key):
    with pytest.raises(NumberError):
        waybill_number(serial, prefix=prefix, key=key)


def test_only_a_waybill_number_has_a_serial():
    with pytest.raises(NumberError, match="is not a waybill number"):
        waybill_serial("WH000000000000", key=KEY)


@pytest.mark.parametrize(
    "typed",
    [
        "wh851311360597",
        "WH 8513 1136 0597",
        "WH8513-1136–0597",
        "ＷＨ８５１３１１３６０５９７",
        "\u3000WH851311360597 ",
    ],
)
def test_a_number_may_be_typed_as_people_type(typed):
    assert normalise(typed) == "WH851311360597"
    assert is_waybill_number(typed)


@given(st.text())
def test_no_text_breaks_the_checks(text):
    plain = normalise(text)
    assert not plain.isascii() or normalise(plain) == plain
    assert [check(text) for check in (is_waybill_number, is_s10, is_sscc)].count(True) <= 1


def test_s10():
    assert s10_check_digit("47312482") == 9
    assert is_s10("RB123456785GB")
    assert not is_s10("RB123456785XX")
    assert s10_number("RB", 12345678, "GB") == "RB123456785GB"


@given(st.integers(0, 99_999_999))
def test_every_s10_number_is_valid(serial):
    assert is_s10(s10_number("EE", serial, "CN"))


@pytest.mark.parametrize(
    ("service", "serial", "country"), [("E", 1, "CN"), ("EE", 10**8, "CN"), ("EE", 1, "XX")]
)
def test_what_cannot_be_s10_is_refused(service, serial, country):
    with pytest.raises(NumberError):
        s10_number(service, serial, country)


def test_sscc():
    assert sscc_check_digit("37610425002123456") == 9
    assert is_sscc("376104250021234569")
    assert is_sscc("(00) 3 7610425 002123456 9")
    assert sscc(3, "7610425", 2123456) == "376104250021234569"
    with pytest.raises(NumberError, match="17 decimal digits"):
        sscc_check_digit("123")


@given(st.integers(0, 9), st.integers(0, 10**9 - 1))
def test_every_sscc_is_valid(extension, serial):
    assert is_sscc(sscc(extension, "7610425", serial))


@pytest.mark.parametrize(
    ("extension", "prefix", "serial"),
    [(10, "7610425", 1), (1, "761", 1), (1, "7610425", 10**9), (1, "76a0425", 1)],
)
def test_what_cannot_be_an_sscc_is_refused(extension, prefix, serial):
    with pytest.raises(NumberError):
        sscc(extension, prefix, serial)


def published(file: str, name: str) -> dict[str, list[str]]:
    path = VECTORS / file
    if not path.exists():
        pytest.skip(f"no test numbers at {path}; set WHEELHOUSE_DATA")
    entries = json.loads(path.read_text())["tracking_numbers"]
    return next(entry["test_numbers"] for entry in entries if entry["name"] == name)


@pytest.mark.parametrize(
    ("file", "name", "check"),
    [("s10.json", "S10", is_s10), ("fedex.json", "FedEx Ground (SSCC-18)", is_sscc)],
)
def test_published_numbers(file, name, check):
    numbers = published(file, name)
    assert numbers["valid"]
    assert numbers["invalid"]
    assert [number for number in numbers["valid"] if not check(number)] == []
    assert [number for number in numbers["invalid"] if check(number)] == []


@given(st.sampled_from("BMT"), st.integers(0, CONTAINER_SERIAL_MAX))
def test_a_container_number_is_read_back_and_is_no_waybills(letter, serial):
    number = container_number(letter, serial)
    assert container_number_in(number) == container_number_in(f" {number.lower()[:6]}-{number[6:]}") == number
    assert not is_waybill_number(number)
    assert not is_s10(number)
    for place in range(1, 12):
        wrong = f"{number[:place]}{(int(number[place]) + 1) % 10}{number[place + 1 :]}"
        assert container_number_in(wrong) is None


@given(st.integers(0, SERIAL_MAX))
def test_a_waybill_number_is_no_containers(serial):
    assert container_number_in(waybill_number(serial, prefix="BX", key=b"k" * 16)) is None


def test_an_sscc_is_a_containers_number_with_its_identifier_or_without():
    assert container_number_in("(00) 376104250021234569") == "376104250021234569"
    assert container_number_in("376104250021234569") == "376104250021234569"
    assert container_number_in("376104250021234560") is None


@pytest.mark.parametrize(("letter", "serial"), [("X", 1), ("B", -1), ("B", CONTAINER_SERIAL_MAX + 1)])
def test_what_is_no_containers_number(letter, serial):
    with pytest.raises(NumberError):
        container_number(letter, serial)
