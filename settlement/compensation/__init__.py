"""Claim -> award: how much, by which article, and who bears it.

``law`` holds the rules as dated data, ``assess`` computes the award, ``bearer`` reads the scan chain.
"""

from settlement.compensation.assess import Award, Claim, ClaimFacts, propose
from settlement.compensation.bearer import Bearer, BearerReason, Custody, attribute
from settlement.compensation.law import (
    RULES,
    Exclusion,
    Formula,
    InsuranceRule,
    LegalRule,
    LossKind,
    MailClass,
    applicable_rule,
)

__all__ = [
    "RULES",
    "Award",
    "Bearer",
    "BearerReason",
    "Claim",
    "ClaimFacts",
    "Custody",
    "Exclusion",
    "Formula",
    "InsuranceRule",
    "LegalRule",
    "LossKind",
    "MailClass",
    "applicable_rule",
    "attribute",
    "propose",
]
