import dataclasses
import importlib
import inspect
import pkgutil
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

import settlement
from settlement.errors import CurrencyMismatchError, MoneyError
from settlement.money import Money, Ratio, Rounding, currency_exponent, divide, total_of

MINOR = st.integers(-(2**63) + 1, 2**63 - 1)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.34", "CNY", 1234), ("-0.05", "CNY", -5), ("12", "CNY", 1200), ("0.5", "EUR", 50),
     ("500", "JPY", 500), ("1.234", "KWD", 1234)],
)  # fmt: skip
def test_parse_by_the_currency_s_exponent(text, currency, minor):
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text", ["", "1,000", "1.", ".5", "1e3", "+1", " 1", "12.345", "NaN", "１２", "--1", "0x1"]
)
def test_parse_refuses_what_is_no_plain_decimal(text):
    with pytest.raises(MoneyError):
        Money.parse(text, "CNY")


@given(MINOR, st.sampled_from(["CNY", "JPY", "KWD", "EUR"]))
def test_text_and_back(minor, currency):
    money = Money(minor, currency)
    assert Money.parse(money.decimal_text(), currency) == money


@pytest.mark.parametrize("amount", [True, 1.0, "1", None, 2**63, -(2**63)])
def test_an_amount_is_a_plain_integer_that_a_column_holds(amount):
    with pytest.raises(MoneyError):
        Money(amount, "CNY")


@pytest.mark.parametrize("currency", ["XAU", "XXX", "cny", "RMB", "", None])
def test_a_currency_has_a_minor_unit(currency):
    with pytest.raises(MoneyError):
        Money(1, currency)


def test_arithmetic_stays_within_a_currency():
    assert Money(5, "CNY") + Money(7, "CNY") - Money(20, "CNY") == -Money(8, "CNY")
    assert Money(5, "CNY") < Money(7, "CNY") <= Money(7, "CNY")
    for operation in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__, Money.__gt__, Money.__ge__):
        with pytest.raises(CurrencyMismatchError):
            operation(Money(1, "CNY"), Money(1, "USD"))
        with pytest.raises(MoneyError):
            operation(Money(1, "CNY"), 1)
    with pytest.raises(CurrencyMismatchError):
        total_of([Money(1, "CNY"), Money(1, "USD")], "CNY")


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [(Rounding.DOWN, (1, 2, 2, 2, 3)), (Rounding.UP, (2, 3, 3, 2, 4)),
     (Rounding.HALF_UP, (2, 3, 3, 2, 3)), (Rounding.HALF_EVEN, (2, 2, 3, 2, 3))],
)  # fmt: skip
def test_each_rounding_in_quarters(rounding, expected):
    quarters = (6, 10, 11, 8, 13)  # 1.5, 2.5, 2.75, 2, 3.25
    assert tuple(divide(number, 4, rounding) for number in quarters) == expected
    assert tuple(divide(-number, 4, rounding) for number in quarters) == tuple(-e for e in expected)


def test_times_rounds_once():
    assert Money(1000, "CNY").times(Ratio(1, 3), Rounding.HALF_UP) == Money(333, "CNY")
    assert Money(2200, "CNY").times(Ratio.basis_points(1250), Rounding.DOWN) == Money(275, "CNY")


@pytest.mark.parametrize(
    ("text", "ratio", "written"),
    [("12.5%", (1, 8), "12.5%"), ("1/3", (1, 3), "1/3"), ("2/4", (1, 2), "50%"), ("0%", (0, 1), "0%"),
     ("100%", (1, 1), "100%"), ("-0.5%", (-1, 200), "-0.5%"), ("0.000001%", (1, 10**8), "0.000001%")],
)  # fmt: skip
def test_ratio_text(text, ratio, written):
    parsed = Ratio.parse(text)
    assert (parsed.numerator, parsed.denominator) == ratio
    assert parsed.text() == written


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**9))
def test_ratio_text_and_back(numerator, denominator):
    ratio = Ratio(numerator, denominator)
    assert Ratio.parse(ratio.text()) == ratio


@pytest.mark.parametrize("text", ["12.5", "0.125", "1/0", "1/-3", "%", "1.5/2", "12,5%"])
def test_ratio_refuses(text):
    with pytest.raises(MoneyError):
        Ratio.parse(text)


@pytest.mark.parametrize("parts", [(1.0, 2), (1, True), (1, 0), (1, -2)])
def test_ratio_is_two_integers(parts):
    with pytest.raises(MoneyError):
        Ratio(*parts)


def test_unknown_currency_is_named():
    with pytest.raises(MoneyError, match="ZZZ"):
        currency_exponent("ZZZ")


def _types(annotation):
    yield annotation
    for part in typing.get_args(annotation):
        yield from _types(part)


def _annotations():
    for info in pkgutil.walk_packages(settlement.__path__, "settlement."):
        module = importlib.import_module(info.name)
        for name, thing in vars(module).items():
            if getattr(thing, "__module__", None) != info.name:
                continue
            functions = {name: thing} if inspect.isfunction(thing) else {}
            if inspect.isclass(thing):
                functions = dict(inspect.getmembers(thing, inspect.isfunction))
                for field, annotation in typing.get_type_hints(thing).items():
                    yield f"{info.name}.{name}.{field}", annotation
            for function_name, function in functions.items():
                if function.__module__ != info.name or function.__qualname__.startswith("__create_fn__"):
                    continue
                for argument, annotation in typing.get_type_hints(function).items():
                    yield f"{info.name}.{name}.{function_name}({argument})", annotation


def test_nothing_in_settlement_is_a_float():
    annotations = dict(_annotations())
    assert len(annotations) > 300
    assert any(dataclasses.is_dataclass(part) for a in annotations.values() for part in _types(a))
    floats = [
        place
        for place, annotation in annotations.items()
        if any(part in (float, complex) for part in _types(annotation))
    ]
    assert floats == []
