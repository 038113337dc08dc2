from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.compensation import (
    RULES,
    BearerReason,
    Claim,
    ClaimFacts,
    Custody,
    Exclusion,
    InsuranceRule,
    LossKind,
    MailClass,
    applicable_rule,
    attribute,
    propose,
)
from settlement.errors import CompensationError, NoLegalBasisError
from settlement.ledger import EvidenceRef
from settlement.money import Money

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = date(2026, 3, 1)


def hours(number):
    return START + timedelta(hours=number)


def yuan(text):
    return Money.parse(text, "CNY")


CHAIN = (
    Custody(2, 20, hours(0), hours(2), ("s1", "s2")),
    Custody(5, None, hours(2), hours(10), ("s3",)),
    Custody(3, 30, hours(10), hours(12), ("s4", "s5"), damaged_at=hours(11)),
    Custody(7, 40, hours(12), hours(20), ("s6",), damaged_at=hours(12)),
)


def award(kind, mail_class, loss, value="2000", postage="20", accepted_on=DAY, **facts):
    if "insured" in facts:
        facts["insured"] = yuan(facts["insured"])
    if "agreed_limit" in facts:
        facts["agreed_limit"] = yuan(facts["agreed_limit"])
    claim = Claim("C1", kind, mail_class, accepted_on, yuan(loss))
    return propose(claim, ClaimFacts(yuan(value), yuan(postage), CHAIN, **facts))


REGISTERED, LETTER = MailClass.POSTAL_REGISTERED, MailClass.POSTAL_REGISTERED_LETTER
ORDINARY, EXPRESS = MailClass.POSTAL_ORDINARY, MailClass.EXPRESS
LOST, PART, SHORT, LATE = LossKind.LOST, LossKind.PARTLY_DAMAGED, LossKind.SHORT, LossKind.DELAYED
PROPORTIONAL, UP_TO = InsuranceRule.PROPORTIONAL, InsuranceRule.LOSS_UP_TO_INSURED
NEGLIGENT = {"gross_negligence": True}
FORCE = {"exclusions": frozenset({Exclusion.FORCE_MAJEURE})}
NATURE = {"exclusions": frozenset({Exclusion.NATURE_OF_GOODS})}


@pytest.mark.parametrize(
    ("kind", "mail_class", "loss", "facts", "amount", "article", "formula"),
    [
        (PART, REGISTERED, "500", {"insured": "1000"}, "250.00", "47 (1) 1", "insured_proportional"),
        (SHORT, REGISTERED, "0.01", {"insured": "1000"}, "0.01", "47 (1) 1", "insured_proportional"),
        (LOST, REGISTERED, "2000", {"insured": "1000"}, "1000.00", "47 (1) 1", "insured_total"),
        (LOST, REGISTERED, "2000", {}, "60.00", "47 (1) 2", "postage_limited"),
        (PART, REGISTERED, "59.99", {}, "59.99", "47 (1) 2", "postage_limited"),
        (LOST, LETTER, "1", {}, "60.00", "47 (1) 2", "postage_triple"),
        (SHORT, LETTER, "1", {}, "1.00", "47 (1) 2", "postage_limited"),
        (LOST, REGISTERED, "2000", NEGLIGENT, "2000.00", "47 (3)", "full_loss"),
        (LOST, REGISTERED, "2000", {"notice_given": False}, "2000.00", "47 (3)", "full_loss"),
        (LOST, LETTER, "1", NEGLIGENT, "60.00", "47 (1) 2", "postage_triple"),
        (LOST, REGISTERED, "2000", FORCE, "0.00", "48", "excluded.force_majeure"),
        (LOST, REGISTERED, "2000", {"insured": "900"} | FORCE, "900.00", "47 (1) 1", "insured_total"),
        (LOST, REGISTERED, "2000", {"insured": "900"} | NATURE, "0.00", "48", "excluded.nature_of_goods"),
        (LOST, ORDINARY, "2000", {}, "0.00", "46", "nothing"),
        (LOST, ORDINARY, "2000", {"notice_given": False}, "0.00", "46", "nothing"),
        (LOST, ORDINARY, "2000", NEGLIGENT, "2000.00", "46", "full_loss"),
        (PART, EXPRESS, "500", {"insured": "1000", "insurance_rule": PROPORTIONAL}, "250.00", "27",
         "insured_agreed"),
        (PART, EXPRESS, "500", {"insured": "4000", "insurance_rule": PROPORTIONAL}, "1000.00", "27",
         "insured_agreed"),
        (PART, EXPRESS, "500", {"insured": "1000", "insurance_rule": UP_TO}, "500.00", "27",
         "insured_agreed"),
        (LOST, EXPRESS, "2000", {"insured": "1000", "insurance_rule": UP_TO}, "1000.00", "27",
         "insured_agreed"),
        (LOST, EXPRESS, "2000", {}, "2000.00", "27; Civil Code 833", "civil_loss"),
        (LOST, EXPRESS, "2000", {"agreed_limit": "140"}, "140.00", "27; Civil Code 833", "civil_loss"),
        (LOST, EXPRESS, "2000", {"agreed_limit": "140"} | NEGLIGENT, "2000.00", "Civil Code 506",
         "full_loss"),
        (LATE, EXPRESS, "30", {}, "30.00", "27; Civil Code 833", "civil_loss"),
        (LOST, EXPRESS, "2000", FORCE, "0.00", "Civil Code 832", "excluded.force_majeure"),
    ],
)  # fmt: skip
def test_awards_by_article(kind, mail_class, loss, facts, amount, article, formula):
    result = award(kind, mail_class, loss, **facts)
    assert (result.amount.decimal_text(), result.article, result.formula) == (
        amount, article, f"compensation.{formula}",
    )  # fmt: skip
    assert result.params["amount"] == amount
    assert (result.bearer is None) == (result.amount.amount_minor == 0)


def test_an_award_names_its_basis_bearer_and_evidence():
    result = award(PART, REGISTERED, "500", insured="1000")
    assert (result.jurisdiction, result.instrument, result.version) == ("CN", "Postal Law", date(2015, 4, 24))
    assert result.params == {
        "amount": "250.00", "currency": "CNY", "loss": "500.00", "total_value": "2000.00",
        "postage": "20.00", "insured": "1000.00",
    }  # fmt: skip
    assert result.bearer.party_id == 3
    assert result.evidence == (
        EvidenceRef("claim", "C1"),
        EvidenceRef("scan", "s4"),
        EvidenceRef("scan", "s5"),
    )


def test_claims_that_cannot_be_assessed():
    with pytest.raises(NoLegalBasisError, match="delayed"):
        award(LATE, REGISTERED, "30")
    with pytest.raises(NoLegalBasisError, match="2015-04-23"):
        award(LOST, REGISTERED, "30", accepted_on=date(2015, 4, 23))
    with pytest.raises(CompensationError, match="exceeds"):
        award(LOST, EXPRESS, "2000.01")
    with pytest.raises(CompensationError, match="insurance rule"):
        award(LOST, EXPRESS, "2000", insured="100")
    with pytest.raises(CompensationError, match="negative"):
        award(LOST, EXPRESS, "-1")
    with pytest.raises(CompensationError, match="postage"):
        award(LOST, EXPRESS, "1", postage="-1")
    with pytest.raises(CompensationError, match="two currencies"):
        propose(
            Claim("C1", PART, REGISTERED, DAY, yuan("5")),
            ClaimFacts(yuan("9"), yuan("1"), CHAIN, insured=Money(5, "USD")),
        )


def test_at_most_one_rule_decides_any_claim():
    for mail_class in MailClass:
        for insured in (True, False):
            for kind in LossKind:
                assert len([rule for rule in RULES if rule.decides(mail_class, insured, kind, DAY)]) <= 1
    assert applicable_rule(EXPRESS, False, LOST, DAY).article.startswith("27")


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(1, 10**7))
def test_partial_loss_is_never_more_than_loss_or_insured(loss, insured, value):
    loss, insured = min(loss, value), min(insured, value)
    claim = Claim("C1", PART, REGISTERED, DAY, Money(loss, "CNY"))
    facts = ClaimFacts(Money(value, "CNY"), Money(20, "CNY"), CHAIN, insured=Money(insured, "CNY"))
    amount = propose(claim, facts).amount.amount_minor
    assert amount <= min(loss, insured)
    assert abs(amount * value * 2 - loss * insured * 2) <= value


def test_who_notes_damage_on_taking_over_did_not_cause_it():
    chain = (*CHAIN[:2], replace(CHAIN[2], damaged_at=None), CHAIN[3])
    bearer = attribute(chain)
    assert (bearer.party_id, bearer.reason, bearer.scan_ids) == (
        3, BearerReason.NOTED_AT_TAKEOVER, ("s4", "s5", "s6"),
    )  # fmt: skip


def test_the_order_of_the_scans_does_not_matter():
    assert attribute(CHAIN[::-1]) == attribute(CHAIN)
    assert attribute(CHAIN).reason is BearerReason.NOTED_IN_CUSTODY


def test_loss_falls_to_who_never_handed_on():
    lost = (CHAIN[0], replace(CHAIN[1], to_at=None))
    assert (attribute(lost).party_id, attribute(lost).reason) == (5, BearerReason.NEVER_HANDED_ON)
    noted = (*lost, Custody(3, 30, hours(30), None, ("s9",), lost_at=hours(30)))
    assert (attribute(noted).party_id, attribute(noted).reason) == (5, BearerReason.NOTED_AT_TAKEOVER)


def test_clean_chain_and_damage_at_acceptance():
    assert attribute(CHAIN[:2]).reason is BearerReason.LAST_CUSTODIAN
    at_once = attribute((replace(CHAIN[0], damaged_at=hours(0)), *CHAIN[1:]))
    assert (at_once.party_id, at_once.reason) == (None, BearerReason.NOTED_AT_ACCEPTANCE)


def test_custody_is_checked():
    with pytest.raises(CompensationError, match="nobody"):
        attribute(())
    for change in (
        {"scan_ids": ()},
        {"to_at": hours(-1)},
        {"from_at": START.replace(tzinfo=None)},
        {"lost_at": hours(-1)},
    ):
        with pytest.raises(CompensationError):
            replace(CHAIN[0], **change)
