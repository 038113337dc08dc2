"""Rises of a price: what is posted for them adds up to one split of the last price, to the cent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settlement.errors import SplitError
from settlement.money import Money, total_of
from settlement.split import split, still_to_post


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # both are frozen values
@given(rises=st.lists(st.integers(1, 5_000), min_size=1, max_size=8))
def test_after_any_rises_each_has_its_part_of_the_last_price(terms, facts, rises):
    posted = dict(split(terms, facts).by_party())
    for rise in rises:
        total = facts.total + Money(rise, facts.total.currency)
        facts = replace(facts, total=total)
        parts = still_to_post(posted, split(terms, facts))
        assert total_of(parts.values(), total.currency).amount_minor == rise
        for party_id, part in parts.items():
            posted[party_id] = posted.get(party_id, Money(0, total.currency)) + part
    assert {party_id: one for party_id, one in posted.items() if one.amount_minor} == {
        party_id: one for party_id, one in split(terms, facts).by_party().items() if one.amount_minor
    }


def test_who_no_longer_takes_part_gives_his_share_back(terms, facts):
    target = split(terms, facts)
    posted = {**target.by_party(), 99: Money(700, "CNY")}
    assert still_to_post(posted, target) == {99: Money(-700, "CNY")}


def test_another_currency_is_refused(terms, facts):
    with pytest.raises(SplitError, match="was posted"):
        still_to_post({1: Money(5, "USD")}, split(terms, facts))
