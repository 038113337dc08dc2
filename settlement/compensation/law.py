"""Legal bases of compensation as dated data.

The texts the rules were read from: Interim Regulations on Express Delivery (State Council, version of
2019-03-02), Postal Law of the People's Republic of China (version of 2015-04-24), Civil Code (in force since
2021-01-01). A rule says since when its version is in force; an amendment is a new row, never an edit, so that
an old award still prints the article it was made by.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from settlement.errors import NoLegalBasisError


class MailClass(StrEnum):
    """What was sent, in the law's terms."""

    EXPRESS = "express"
    POSTAL_REGISTERED = "postal_registered"
    """Postal item with a receipt, other than a registered letter."""
    POSTAL_REGISTERED_LETTER = "postal_registered_letter"
    POSTAL_ORDINARY = "postal_ordinary"


class LossKind(StrEnum):
    """What happened to the item."""

    LOST = "lost"
    DESTROYED = "destroyed"
    """Damaged as a whole."""
    PARTLY_DAMAGED = "partly_damaged"
    SHORT = "short"
    """Part of the contents is missing."""
    DELAYED = "delayed"


class Exclusion(StrEnum):
    """Grounds on which the carrier does not answer for the loss."""

    FORCE_MAJEURE = "force_majeure"
    NATURE_OF_GOODS = "nature_of_goods"
    FAULT_OF_CUSTOMER = "fault_of_customer"


class Formula(StrEnum):
    """How an award is computed; `settlement.compensation.assess` has one function for each."""

    INSURED_TOTAL = "insured_total"
    """The insured amount."""
    INSURED_PROPORTIONAL = "insured_proportional"
    """Loss x insured amount / total value."""
    INSURED_AGREED = "insured_agreed"
    """By the insurance rule agreed with the sender."""
    POSTAGE_LIMITED = "postage_limited"
    """The loss, at most three times the postage."""
    POSTAGE_TRIPLE = "postage_triple"
    """Three times the postage."""
    CIVIL_LOSS = "civil_loss"
    """The loss at the market price of the destination, or what the contract limits it to."""
    NOTHING = "nothing"


class InsuranceRule(StrEnum):
    """What carrier and sender agreed for insured express items."""

    PROPORTIONAL = "proportional"
    """Loss x insured amount / total value."""
    LOSS_UP_TO_INSURED = "loss_up_to_insured"
    """The loss, at most the insured amount."""


@dataclass(frozen=True, slots=True)
class LegalRule:
    """One article (or its part) and the claims it decides.

    Args:
        fault_article: by which intent or gross negligence of the carrier opens compensation of the full loss.
        limit_needs_notice: under that article a missing notice of the limit does so too.
        exclusions: grounds on which nothing is due.
        exclusions_article: where these stand.
    """

    jurisdiction: str
    instrument: str
    version: date
    article: str
    effective_from: date
    effective_to: date | None
    mail_classes: frozenset[MailClass]
    insured: bool | None
    kinds: frozenset[LossKind]
    formula: Formula
    fault_article: str
    limit_needs_notice: bool
    exclusions: frozenset[Exclusion]
    exclusions_article: str

    def decides(self, mail_class: MailClass, insured: bool, kind: LossKind, on: date) -> bool:
        """Whether the rule covers such an item, accepted on that day."""
        return (
            mail_class in self.mail_classes
            and self.insured in (None, insured)
            and kind in self.kinds
            and self.effective_from <= on
            and (self.effective_to is None or on < self.effective_to)
        )


_WHOLE_LOSS = frozenset({LossKind.LOST, LossKind.DESTROYED})
_PART_LOSS = frozenset({LossKind.PARTLY_DAMAGED, LossKind.SHORT})
_ANY_LOSS = _WHOLE_LOSS | _PART_LOSS
_REGISTERED = frozenset({MailClass.POSTAL_REGISTERED, MailClass.POSTAL_REGISTERED_LETTER})
_ALL_EXCLUSIONS = frozenset(Exclusion)


def _postal(
    article: str,
    mail_classes: frozenset[MailClass],
    insured: bool | None,
    kinds: frozenset[LossKind],
    formula: Formula,
    *,
    registered: bool = True,
) -> LegalRule:
    # Article 48: force majeure does not free the carrier from an insured item's compensation.
    exclusions = _ALL_EXCLUSIONS - {Exclusion.FORCE_MAJEURE} if insured else _ALL_EXCLUSIONS
    return LegalRule(
        jurisdiction="CN",
        instrument="Postal Law",
        version=date(2015, 4, 24),
        article=article,
        effective_from=date(2015, 4, 24),
        effective_to=None,
        mail_classes=mail_classes,
        insured=insured,
        kinds=kinds,
        formula=formula,
        fault_article="47 (3)" if registered else "46",
        limit_needs_notice=registered,
        exclusions=exclusions if registered else frozenset(),
        exclusions_article="48" if registered else "",
    )


def _express(
    article: str, insured: bool, formula: Formula, effective_from: date, effective_to: date | None
) -> LegalRule:
    return LegalRule(
        jurisdiction="CN",
        instrument="Interim Regulations on Express Delivery",
        version=date(2019, 3, 2),
        article=article,
        effective_from=effective_from,
        effective_to=effective_to,
        mail_classes=frozenset({MailClass.EXPRESS}),
        insured=insured,
        kinds=_ANY_LOSS | {LossKind.DELAYED},
        formula=formula,
        fault_article="Civil Code 506",
        limit_needs_notice=False,
        exclusions=_ALL_EXCLUSIONS,
        exclusions_article="Civil Code 832",
    )


_LETTER = frozenset({MailClass.POSTAL_REGISTERED_LETTER})
_CIVIL_CODE_FROM = date(2021, 1, 1)

RULES: tuple[LegalRule, ...] = (
    _express("27", True, Formula.INSURED_AGREED, _CIVIL_CODE_FROM, None),
    _express("27; Civil Code 833", False, Formula.CIVIL_LOSS, _CIVIL_CODE_FROM, None),
    _postal("47 (1) 1", _REGISTERED, True, _WHOLE_LOSS, Formula.INSURED_TOTAL),
    _postal("47 (1) 1", _REGISTERED, True, _PART_LOSS, Formula.INSURED_PROPORTIONAL),
    _postal("47 (1) 2", _LETTER, False, _ANY_LOSS - {LossKind.SHORT}, Formula.POSTAGE_TRIPLE),
    _postal("47 (1) 2", _LETTER, False, frozenset({LossKind.SHORT}), Formula.POSTAGE_LIMITED),
    _postal("47 (1) 2", frozenset({MailClass.POSTAL_REGISTERED}), False, _ANY_LOSS, Formula.POSTAGE_LIMITED),
    _postal("46", frozenset({MailClass.POSTAL_ORDINARY}), None, _ANY_LOSS, Formula.NOTHING, registered=False),
)
"""All rules. Under Article 45 of the Postal Law delay is no loss, so no rule covers it."""


def applicable_rule(mail_class: MailClass, insured: bool, kind: LossKind, on: date) -> LegalRule:
    """The rule that decides a claim about an item accepted on a day.

    Raises:
        NoLegalBasisError: no rule in force on that day covers it.
    """
    matching = [rule for rule in RULES if rule.decides(mail_class, insured, kind, on)]
    if not matching:
        raise NoLegalBasisError(f"no rule in force on {on} covers a {mail_class} item that is {kind}")
    assert len(matching) == 1, matching
    return matching[0]
