"""How much is due for a claim, by which article, and how that was computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from settlement.compensation.bearer import Bearer, Custody, attribute
from settlement.compensation.law import (
    Exclusion,
    Formula,
    InsuranceRule,
    LegalRule,
    LossKind,
    MailClass,
    applicable_rule,
)
from settlement.errors import CompensationError
from settlement.ledger import EvidenceRef
from settlement.money import Money, Ratio, Rounding

POSTAGE_MULTIPLE = Ratio(3, 1)


@dataclass(frozen=True, slots=True)
class Claim:
    """What the claimant asks for.

    Args:
        accepted_on: local day on which the carrier accepted the item; the law of that day applies.
        loss: the loss claimed and accepted as proven; for delay the damage it caused.
    """

    claim_id: str
    kind: LossKind
    mail_class: MailClass
    accepted_on: date
    loss: Money

    def __post_init__(self) -> None:
        if self.loss.amount_minor < 0:
            raise CompensationError(f"claim {self.claim_id}: a loss is not negative")


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """What the carrier's records say about the item.

    Args:
        total_value: value of all the contents.
        postage: what was charged for carriage.
        insured: the insured amount; None when it was not insured.
        insurance_rule: what was agreed for insured express items.
        agreed_limit: what the contract limits compensation of uninsured express items to; None without one.
        exclusions: grounds found that free the carrier.
        gross_negligence: intent or gross negligence of the carrier.
        notice_given: the limits of liability were brought to the sender's attention.
        scan_chain: who had the item when.
    """

    total_value: Money
    postage: Money
    scan_chain: tuple[Custody, ...]
    insured: Money | None = None
    insurance_rule: InsuranceRule | None = None
    agreed_limit: Money | None = None
    exclusions: frozenset[Exclusion] = field(default_factory=frozenset)
    gross_negligence: bool = False
    notice_given: bool = True

    def __post_init__(self) -> None:
        for name, amount in (
            ("total value", self.total_value),
            ("postage", self.postage),
            ("insured amount", self.insured),
            ("agreed limit", self.agreed_limit),
        ):
            if amount is not None and amount.amount_minor < 0:
                raise CompensationError(f"the {name} is not negative")


@dataclass(frozen=True, slots=True)
class Award:
    """A proposed award; a person decides on it.

    Args:
        formula: key of the text that explains the figure, filled by ``params`` (amounts as decimal texts).
        bearer: None where nothing is due, since then nobody bears anything.
    """

    claim_id: str
    amount: Money
    jurisdiction: str
    instrument: str
    version: date
    article: str
    formula: str
    params: Mapping[str, str]
    bearer: Bearer | None
    evidence: tuple[EvidenceRef, ...]


def propose(claim: Claim, facts: ClaimFacts) -> Award:
    """The award that the law in force gives for a claim.

    Raises:
        NoLegalBasisError: no rule covers the claim.
        CompensationError: the loss exceeds the value, a fact the rule needs is missing, or nobody had
            custody.
    """
    if claim.kind is not LossKind.DELAYED and claim.loss > facts.total_value:
        raise CompensationError(f"claim {claim.claim_id}: the loss exceeds the total value")
    rule = applicable_rule(claim.mail_class, facts.insured is not None, claim.kind, claim.accepted_on)
    article, formula, amount = _decide(rule, claim, facts)
    bearer = attribute(facts.scan_chain) if amount.amount_minor else None
    scans = bearer.scan_ids if bearer else ()
    return Award(
        claim_id=claim.claim_id,
        amount=amount,
        jurisdiction=rule.jurisdiction,
        instrument=rule.instrument,
        version=rule.version,
        article=article,
        formula=f"compensation.{formula}",
        params=_params(claim, facts, amount),
        bearer=bearer,
        evidence=(EvidenceRef("claim", claim.claim_id), *(EvidenceRef("scan", scan) for scan in scans)),
    )


def _decide(rule: LegalRule, claim: Claim, facts: ClaimFacts) -> tuple[str, str, Money]:
    excluded = sorted(facts.exclusions & rule.exclusions)
    if excluded:
        return rule.exclusions_article, f"excluded.{excluded[0]}", Money(0, claim.loss.currency)
    amount = _FORMULAS[rule.formula](claim, facts)
    limit_lost = facts.gross_negligence or (rule.limit_needs_notice and not facts.notice_given)
    if limit_lost and claim.loss > amount:
        return rule.fault_article, "full_loss", claim.loss
    return rule.article, rule.formula.value, amount


def _insured(facts: ClaimFacts) -> Money:
    assert facts.insured is not None, "a rule for insured items was chosen for one that is not"
    return facts.insured


def _proportional(claim: Claim, facts: ClaimFacts) -> Money:
    if facts.total_value.amount_minor == 0:
        return Money(0, claim.loss.currency)
    insured = _insured(facts)
    if insured.currency != facts.total_value.currency:
        raise CompensationError(f"claim {claim.claim_id}: insured amount and value are in two currencies")
    return claim.loss.times(Ratio(insured.amount_minor, facts.total_value.amount_minor), Rounding.HALF_UP)


def _insured_agreed(claim: Claim, facts: ClaimFacts) -> Money:
    if facts.insurance_rule is None:
        raise CompensationError(
            f"claim {claim.claim_id}: the insurance rule agreed with the sender is needed"
        )
    if facts.insurance_rule is InsuranceRule.PROPORTIONAL:
        return min(_proportional(claim, facts), _insured(facts))
    return min(claim.loss, _insured(facts))


def _civil_loss(claim: Claim, facts: ClaimFacts) -> Money:
    return claim.loss if facts.agreed_limit is None else min(claim.loss, facts.agreed_limit)


def _triple_postage(facts: ClaimFacts) -> Money:
    return facts.postage.times(POSTAGE_MULTIPLE, Rounding.HALF_UP)


_FORMULAS: dict[Formula, Callable[[Claim, ClaimFacts], Money]] = {
    Formula.INSURED_TOTAL: lambda _claim, facts: _insured(facts),
    Formula.INSURED_PROPORTIONAL: _proportional,
    Formula.INSURED_AGREED: _insured_agreed,
    Formula.POSTAGE_LIMITED: lambda claim, facts: min(claim.loss, _triple_postage(facts)),
    Formula.POSTAGE_TRIPLE: lambda _claim, facts: _triple_postage(facts),
    Formula.CIVIL_LOSS: _civil_loss,
    Formula.NOTHING: lambda claim, _facts: Money(0, claim.loss.currency),
}


def _params(claim: Claim, facts: ClaimFacts, amount: Money) -> dict[str, str]:
    params = {
        "amount": amount.decimal_text(),
        "currency": amount.currency,
        "loss": claim.loss.decimal_text(),
        "total_value": facts.total_value.decimal_text(),
        "postage": facts.postage.decimal_text(),
    }
    if facts.insured is not None:
        params["insured"] = facts.insured.decimal_text()
    if facts.agreed_limit is not None:
        params["agreed_limit"] = facts.agreed_limit.decimal_text()
    return params
