"""Who earns what, and every cent kept balanced: money, terms, split, ledger, payout, compensation.

A pure engine: values in, values out. It knows neither tracking nor routing, no database and no web.
Amounts are integers in minor units of an ISO 4217 currency; floating point does not occur.
"""
