"""Why each party gets each cent, as lines that a page can put into any language."""

from __future__ import annotations

from settlement.errors import SplitError
from settlement.money import Money, Ratio
from settlement.split.values import Reason, Split
from settlement.terms.shares import Remainder
from settlement.terms.version import Terms
from settlement.terms.wording import Line, party_params, rule_key


def explain(terms: Terms, result: Split) -> tuple[Line, ...]:
    """The reasons of a split in the order of its shares.

    The keys: ``split.reason.<rule>`` (``percent``, ``fixed``, ``per_kilogram``, ``per_piece``,
    ``per_kilometre``, ``tiers``, ``remainder``), ``split.bound.minimum|cap``, ``split.reduced``,
    ``split.portion`` where several parties hold the role, ``split.rounding``, ``split.amount`` and, for
    shares that gave nothing, ``split.skipped.role_absent|conditions_not_met``. ``exact`` is in minor units, a
    fraction as ``"1234 5/6"``.

    Raises:
        SplitError: the split was made by other terms.
    """
    if (terms.terms_id, terms.version) != (result.terms_id, result.version):
        raise SplitError(
            f"order {result.order_id} was split by version {result.version} of {result.terms_id}"
        )
    lines: list[Line] = []
    for share in result.shares:
        party: dict[str, str | int] = {"party_id": share.party_id}
        if share.role is not None:
            party["party_role"] = share.role.value
        for reason in share.reasons:
            lines.extend(_reason(terms, reason, party))
        if share.rounding.numerator:
            lines.append(Line("split.rounding", {**party, "exact": minor_units(share.rounding)}))
        lines.append(Line("split.amount", {**party, **_amount(share.amount)}))
    for skipped in result.skipped:
        who = party_params(terms.shares[skipped.share_index].party)
        lines.append(Line(f"split.skipped.{skipped.cause.value}", {"share": skipped.share_index + 1, **who}))
    return tuple(lines)


def minor_units(exact: Ratio) -> str:
    """An exact amount in minor units: whole part, then the fraction, such as ``"-2 1/3"``."""
    whole, rest = divmod(abs(exact.numerator), exact.denominator)
    sign = "-" if exact.numerator < 0 else ""
    if not rest:
        return f"{sign}{whole}"
    fraction = f"{rest}/{exact.denominator}"
    return f"{sign}{whole} {fraction}" if whole else f"{sign}{fraction}"


def _reason(terms: Terms, reason: Reason, party: dict[str, str | int]) -> list[Line]:
    share = terms.shares[reason.share_index]
    params = {**party, "share": reason.share_index + 1, "exact": minor_units(reason.exact)}
    lines = [Line(f"split.reason.{rule_key(share.rule)}", params)]
    if reason.bound is not None:
        lines.append(Line(f"split.bound.{reason.bound.value}", params))
    if reason.reduced and not isinstance(share.rule, Remainder):
        lines.append(Line("split.reduced", params))
    if reason.portion.numerator != reason.portion.denominator:
        portion = f"{reason.portion.numerator}/{reason.portion.denominator}"
        lines.append(Line("split.portion", {**params, "portion": portion}))
    return lines


def _amount(amount: Money) -> dict[str, str | int]:
    return {"amount": amount.decimal_text(), "currency": amount.currency}
