"""Bank lines against what was expected: what belongs together, what is suggested, and a name for every difference."""

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
