"""Bank lines against what was expected: matches, suggestions, and a name for every difference."""

from settlement.reconciliation.matching import reconcile
from settlement.reconciliation.values import (
    Difference,
    DifferenceKind,
    Expected,
    Match,
    Options,
    Outcome,
    Rule,
    Suggestion,
)

__all__ = [
    "Difference",
    "DifferenceKind",
    "Expected",
    "Match",
    "Options",
    "Outcome",
    "Rule",
    "Suggestion",
    "reconcile",
]
