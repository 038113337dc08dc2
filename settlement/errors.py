"""The exception tree of settlement.

::

    SettlementError
    ├── MoneyError                   a value that is no amount, ratio or currency
    │   └── CurrencyMismatchError    two currencies in one sum
    ├── AllocationError              weights that cannot carry the total
    ├── TermsError                   terms that cannot be: the message names the field
    │   └── NoTermsInForceError      no version covers the moment asked for
    ├── SplitError                   facts that the terms cannot be applied to
    ├── LedgerError
    │   ├── UnbalancedEntryError     lines that do not sum to zero, or are no lines
    │   ├── EntryConflictError       the same entry id, another content
    │   └── BalanceLimitError        the entry would overdraw an account
    ├── PostingError                 a business fact that has no balanced entry
    ├── PayoutError
    │   ├── PayoutTransitionError    the event does not happen in this state
    │   └── ApprovalError            maker and checker are one person
    ├── StatementError               a bank's file that cannot be read: the message names the place
    ├── ReconciliationError          what cannot be matched or explained
    └── CompensationError            a claim that cannot be assessed or attributed
        └── NoLegalBasisError        no rule in force covers the claim
"""


class SettlementError(Exception):
    """Root of every error this engine raises on purpose."""


class MoneyError(SettlementError, ValueError):
    """A value that is no amount, no ratio or no currency."""


class CurrencyMismatchError(MoneyError):
    """Arithmetic between two currencies."""


class AllocationError(SettlementError, ValueError):
    """Weights that cannot carry the total."""


class TermsError(SettlementError, ValueError):
    """Terms that cannot be; the message names the field."""


class NoTermsInForceError(TermsError):
    """No version of the terms covers the moment asked for."""


class SplitError(SettlementError, ValueError):
    """Facts that the terms cannot be applied to."""


class LedgerError(SettlementError):
    """The ledger refuses."""


class UnbalancedEntryError(LedgerError, ValueError):
    """A journal entry whose lines do not sum to zero in each book and currency."""


class EntryConflictError(LedgerError):
    """An entry id that is already used for another content."""


class BalanceLimitError(LedgerError):
    """The entry would overdraw an account."""


class PostingError(SettlementError, ValueError):
    """A business fact that has no balanced entry."""


class PayoutError(SettlementError, ValueError):
    """A payout batch that cannot be."""


class PayoutTransitionError(PayoutError):
    """The event does not happen in this state."""


class ApprovalError(PayoutError):
    """Maker and checker must be two people."""


class StatementError(SettlementError, ValueError):
    """A bank's file that cannot be read; the message names the place."""


class ReconciliationError(SettlementError, ValueError):
    """What cannot be matched or explained."""


class CompensationError(SettlementError, ValueError):
    """A claim that cannot be assessed or attributed."""


class NoLegalBasisError(CompensationError):
    """No rule in force covers the claim."""
