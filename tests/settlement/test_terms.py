import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from settlement.errors import NoTermsInForceError, TermsError
from settlement.money import Ratio
from settlement.terms import (
    Conditions,
    Fixed,
    Measure,
    PartyRef,
    Percent,
    PerUnit,
    Remainder,
    Role,
    Share,
    Terms,
    Tier,
    Tiers,
    describe,
    in_force,
    terms_from_json,
    terms_to_json,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
REST = Share(PartyRef(Role.PLATFORM), Remainder())


def make(*shares, version=1, start=START, end=None, terms_id="t", currency="CNY"):
    return Terms(terms_id, version, currency, start, end, shares or (REST,))


def test_json_and_back(document, terms):
    assert terms_from_json(terms_to_json(terms)) == terms
    assert terms_from_json(json.dumps(terms_to_json(terms))) == terms
    assert terms_from_json(json.dumps(document).encode()) == terms
    assert terms.effective_from == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert terms.shares[0] == Share(PartyRef(Role.ORIGIN_OUTLET), Percent(Ratio(9, 50)), minimum_minor=50)


def _with_share(**change):
    share = {"kind": "fixed", "party": {"role": "hub"}, "amount_minor": 30} | change
    return {"shares": [{k: v for k, v in share.items() if v != "gone"},
                       {"kind": "remainder", "party": {"role": "platform"}}]}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 1}, "unknown field `colour`"),
        (_with_share(colour=1), r"unknown field `colour`.*shares\[0\]"),
        (_with_share(party={"role": "hub", "name": "x"}), "unknown field `name`"),
        (_with_share(conditions={"lane": "x"}), "unknown field `lane`"),
        ({"version": 1.0}, r"Expected `int`, got `float`.*version"),
        ({"version": True}, r"Expected `int`, got `bool`.*version"),
        ({"version": 0}, "version"),
        ({"currency": "RMB"}, "currency"),
        ({"effective_from": "2026-01-01T00:00:00"}, "effective_from"),
        ({"effective_to": "2025-01-01T00:00:00Z"}, "effective_to"),
        ({"terms_id": ""}, "terms_id"),
        ({"shares": []}, "exactly one remainder"),
        (
            _with_share(kind="remainder", amount_minor="gone", party={"role": "platform"}),
            "exactly one remainder",
        ),
        (
            _with_share(kind="remainder", amount_minor="gone"),
            r"shares\[0\].remainder: belongs to the platform",
        ),
        (_with_share(amount_minor="gone"), "amount_minor"),
        (_with_share(amount_minor=-1), r"shares\[0\].amount_minor"),
        (_with_share(amount_minor=2**63), r"shares\[0\].amount_minor"),
        (_with_share(amount_minor=1.5), "Expected `int`, got `float`"),
        (_with_share(party={}), r"shares\[0\].party"),
        (_with_share(party={"role": "hub", "party_id": 3}), r"shares\[0\].party"),
        (_with_share(party={"role": "pilot"}), "Invalid enum value 'pilot'"),
        (_with_share(party={"party_id": 0}), r"shares\[0\].party"),
        (_with_share(minimum_minor=5, cap_minor=4), r"shares\[0\].cap_minor"),
        (_with_share(conditions={"weight_g_min": 5, "weight_g_below": 5}), r"shares\[0\].conditions"),
        (_with_share(conditions={"services": [""]}), r"shares\[0\].conditions.services"),
        (_with_share(kind="percent", amount_minor="gone", rate="101%"), r"shares\[0\].rate"),
        (_with_share(kind="percent", amount_minor="gone", rate="-1%"), r"shares\[0\].rate"),
        (_with_share(kind="percent", amount_minor="gone", rate="0.2"), r"shares\[0\].*percentage"),
        (_with_share(kind="auction"), "Invalid value 'auction'"),
        (_with_share(kind="tiers", amount_minor="gone", tiers=[]), r"shares\[0\].tiers: the last"),
        (
            _with_share(kind="tiers", amount_minor="gone", tiers=[{"up_to_g": 9, "rate_minor": 1}]),
            r"shares\[0\].tiers: the last",
        ),
        (
            _with_share(
                kind="tiers",
                amount_minor="gone",
                tiers=[{"up_to_g": g, "rate_minor": 1} for g in (9, 9, None)],
            ),
            r"shares\[0\].tiers: each tier",
        ),
    ],
)
def test_documents_that_are_refused_with_their_place(document, change, message):
    with pytest.raises(TermsError, match=message):
        terms_from_json(document | change)


def test_broken_json_is_a_terms_error():
    with pytest.raises(TermsError):
        terms_from_json(b"{")


def test_a_remainder_has_no_bounds_or_conditions():
    for change in ({"minimum_minor": 1}, {"cap_minor": 1}, {"conditions": Conditions(weight_g_min=1)}):
        with pytest.raises(TermsError, match="remainder"):
            Share(PartyRef(Role.PLATFORM), Remainder(), **change)


def test_values_of_a_wrong_kind_are_refused():
    for build in (
        lambda: PerUnit("kilogram", 5),
        lambda: PerUnit(Measure.PIECE, 1.0),
        lambda: Fixed(True),
        lambda: PartyRef(role="hub"),
        lambda: Tier(0, 5),
        lambda: Tiers((Tier(None, 1), Tier(None, 1))),
        lambda: Conditions(weight_g_min=-1),
        lambda: make(start=START.replace(tzinfo=None)),
        lambda: make(end=START),
    ):
        with pytest.raises(TermsError):
            build()


def test_the_version_in_force_is_the_highest_that_covers_the_moment():
    first = make(version=1)
    trial = make(version=2, start=START + timedelta(days=30), end=START + timedelta(days=40))
    assert in_force([trial, first], START) is first
    assert in_force([first, trial], START + timedelta(days=30)) is trial
    assert in_force([first, trial], START + timedelta(days=40)) is first
    beijing = timezone(timedelta(hours=8))
    assert in_force([first], START.astimezone(beijing)) is first
    with pytest.raises(NoTermsInForceError):
        in_force([first, trial], START - timedelta(microseconds=1))
    with pytest.raises(NoTermsInForceError):
        in_force([], START)


def test_versions_belong_together():
    with pytest.raises(TermsError, match="one and the same"):
        in_force([make(), make(version=2, terms_id="other")], START)
    with pytest.raises(TermsError, match="twice"):
        in_force([make(), make()], START)
    with pytest.raises(TermsError, match="offset"):
        in_force([make()], START.replace(tzinfo=None))


def test_describe_says_every_statement(terms):
    lines = [(line.key, dict(line.params)) for line in describe(terms)]
    assert lines == [
        ("terms.percent", {"share": 1, "party_role": "origin_outlet", "rate": "18%"}),
        ("terms.minimum", {"share": 1, "party_role": "origin_outlet", "amount": "0.50", "currency": "CNY"}),
        ("terms.per_kilogram", {"share": 2, "party_role": "hub", "amount": "0.40", "currency": "CNY"}),
        ("terms.cap", {"share": 2, "party_role": "hub", "amount": "3.00", "currency": "CNY"}),
        ("terms.percent", {"share": 3, "party_role": "linehaul_carrier", "rate": "1/6"}),
        ("terms.per_piece", {"share": 4, "party_role": "courier_delivery", "amount": "1.20",
                             "currency": "CNY"}),
        ("terms.fixed", {"share": 5, "party_id": 70, "amount": "0.30", "currency": "CNY"}),
        ("terms.tier", {"share": 6, "party_role": "delivery_outlet", "from_g": 0, "up_to_g": 1000,
                        "amount": "1.50", "currency": "CNY"}),
        ("terms.tier", {"share": 6, "party_role": "delivery_outlet", "from_g": 1000, "amount": "0.60",
                        "currency": "CNY"}),
        ("terms.only_services", {"share": 6, "party_role": "delivery_outlet", "codes": "standard"}),
        ("terms.only_weight", {"share": 6, "party_role": "delivery_outlet", "min_g": 0, "below_g": 30000}),
        ("terms.remainder", {"share": 7, "party_role": "platform"}),
        ("terms.shortfall.reduce", {}),
    ]  # fmt: skip
