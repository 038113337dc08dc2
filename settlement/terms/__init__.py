"""Terms of a split: who is a party, by which rule it earns, from when to when.

``shares`` holds the rules a share can follow, ``version`` the terms and which version is in force,
``codec`` their JSON form and ``wording`` the lines a clerk reads.
"""

from settlement.terms.codec import terms_from_json, terms_to_json
from settlement.terms.shares import (
    ANY_ORDER,
    Conditions,
    Fixed,
    Measure,
    PartyRef,
    Percent,
    PerUnit,
    Remainder,
    Role,
    Rule,
    Share,
    Tier,
    Tiers,
)
from settlement.terms.version import Shortfall, Terms, in_force
from settlement.terms.wording import Line, describe

__all__ = [
    "ANY_ORDER",
    "Conditions",
    "Fixed",
    "Line",
    "Measure",
    "PartyRef",
    "PerUnit",
    "Percent",
    "Remainder",
    "Role",
    "Rule",
    "Share",
    "Shortfall",
    "Terms",
    "Tier",
    "Tiers",
    "describe",
    "in_force",
    "terms_from_json",
    "terms_to_json",
]
