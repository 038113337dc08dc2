"""Other carriers' numbers: every valid one of the data is recognised, every invalid one refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.carriers import NUMBER_LENGTH_MAX, Format, carriers, checks, formats, recognise
from tracking.carriers.recognition import fits
from tracking.errors import NumberError
from tracking.numbers import normalise

VALID = [(form, number) for form in formats() for number in form.valid]
INVALID = [(form, number) for form in formats() for number in form.invalid]


def named(case: Format | str) -> str:
    return case.key if isinstance(case, Format) else normalise(case)


def test_all_vectors_of_the_data_are_tried() -> None:
    assert (len(carriers()), len(VALID), len(INVALID)) == (10, 127, 61)


@pytest.mark.parametrize(("form", "number"), VALID, ids=named)
def test_a_valid_number_is_recognised(form: Format, number: str) -> None:
    found = {one.carrier: one for one in recognise(number)}
    assert form.carrier in found
    one = found[form.carrier]
    assert one.number == normalise(number)
    assert one.is_checked or form.check_digit is None
    if one.tracking_url is not None:
        assert one.number in one.tracking_url
        assert "%" not in one.tracking_url


@pytest.mark.parametrize(("form", "number"), INVALID, ids=named)
def test_an_invalid_number_is_refused(form: Format, number: str) -> None:
    assert fits(normalise(number), form) is None
    # Only one of them is a good number of another format.
    others = [one.format_key for one in recognise(number)]
    assert others == (["purolator_numeric"] if number == "331426749957" else [])


def test_a_number_that_two_carriers_may_have_given_out_is_told_for_both() -> None:
    assert [one.carrier for one in recognise("2878 0946 8872")] == ["fedex", "purolator"]
    checked = [one.is_checked for one in recognise("RX123456785CN")]
    assert checked == [True, False]  # a check digit comes before a form alone


def test_a_postal_operator_is_told_by_its_country() -> None:
    assert [one.carrier_name for one in recognise("RB 123 456 785 GB")] == ["Royal Mail Group plc"]
    assert [one.carrier_name for one in recognise("RB123456785TW")] == ["S10 International Standard (TW)"]
    assert recognise("RB123456785XX") == ()


@given(st.text(max_size=NUMBER_LENGTH_MAX + 5))
def test_any_text_is_answered(text: str) -> None:
    for one in recognise(text):
        assert one.number == normalise(text)


@given(st.sampled_from([form for form in formats() if form.check_digit is not None]), st.data())
def test_another_check_digit_is_wrong(form: Format, data: st.DataObject) -> None:
    number = normalise(data.draw(st.sampled_from(form.valid)))
    match = form.pattern.fullmatch(number)
    assert match is not None
    start, end = match.span("CheckDigit")
    other = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != number[start:end]))
    assert fits(number[:start] + other + number[end:], form) is None


def test_check_digits_of_the_literature() -> None:
    assert checks.luhn("7992739871") == "3"
    assert checks.mod_37_36("A12425GABC1234002") == "M"  # the example of ISO's GRid
    assert checks.weighted_mod10("37610425002123456", even_weight=3, odd_weight=1) == "9"  # an SSCC
    with pytest.raises(NumberError):
        checks.weighted_mod11_mod10("12", (3, 1, 7), first=11, second=10)
