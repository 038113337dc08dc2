"""Accounts, journal entries and balances: the only writer of money."""
