"""Roles and the scopes each of them has: the one table that says who may do what."""

from __future__ import annotations

import enum


class Role(enum.StrEnum):
    """What a login is for."""

    SHIPPER = "shipper"
    HUB = "hub"
    COURIER = "courier"
    DISPATCHER = "dispatcher"
    AGENT = "agent"
    FINANCE = "finance"
    ADMIN = "admin"


class Scope(enum.StrEnum):
    """One thing a login or token may do. Rows are limited further by the guarded loaders."""

    SHIPMENTS_READ = "shipments:read"
    SHIPMENTS_BOOK = "shipments:book"
    SCANS_WRITE = "scans:write"
    EXCEPTIONS_WRITE = "exceptions:write"
    CONTAINERS_READ = "containers:read"
    CONTAINERS_WRITE = "containers:write"
    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    NETWORK_READ = "network:read"
    DISPATCH_READ = "dispatch:read"
    DISPATCH_WRITE = "dispatch:write"
    RUNS_READ = "runs:read"
    ORDERS_READ = "orders:read"
    TERMS_READ = "terms:read"
    TERMS_WRITE = "terms:write"
    TERMS_APPROVE = "terms:approve"
    LEDGER_READ = "ledger:read"
    PAYOUTS_READ = "payouts:read"
    PAYOUTS_PREPARE = "payouts:prepare"
    PAYOUTS_APPROVE = "payouts:approve"
    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    CLAIMS_APPROVE = "claims:approve"
    TOKENS_WRITE = "tokens:write"
    WEBHOOKS_WRITE = "webhooks:write"
    NOTICES_WRITE = "notices:write"
    ADMIN = "admin"


_S = Scope

SCOPES: dict[Role, frozenset[Scope]] = {
    Role.SHIPPER: frozenset(
        {
            _S.SHIPMENTS_READ,
            _S.SHIPMENTS_BOOK,
            _S.ORDERS_READ,
            _S.CASES_READ,
            _S.CASES_WRITE,
            _S.TOKENS_WRITE,
            _S.WEBHOOKS_WRITE,
            _S.NOTICES_WRITE,
        }
    ),
    Role.HUB: frozenset(
        {
            _S.SHIPMENTS_READ,
            _S.SCANS_WRITE,
            _S.EXCEPTIONS_WRITE,
            _S.CONTAINERS_READ,
            _S.CONTAINERS_WRITE,
            _S.NETWORK_READ,
            _S.TOKENS_WRITE,
        }
    ),
    Role.COURIER: frozenset({_S.RUNS_READ, _S.SCANS_WRITE, _S.TOKENS_WRITE}),
    Role.DISPATCHER: frozenset(
        {
            _S.SHIPMENTS_READ,
            _S.NETWORK_READ,
            _S.DISPATCH_READ,
            _S.DISPATCH_WRITE,
            _S.RUNS_READ,
            _S.SCANS_WRITE,
            _S.EXCEPTIONS_WRITE,
            _S.CONTAINERS_READ,
            _S.CONTAINERS_WRITE,
            _S.TOKENS_WRITE,
        }
    ),
    Role.AGENT: frozenset(
        {
            _S.SHIPMENTS_READ,
            _S.CONTAINERS_READ,
            _S.SHIPMENTS_BOOK,
            _S.EXCEPTIONS_WRITE,
            _S.CUSTOMERS_READ,
            _S.CUSTOMERS_WRITE,
            _S.NETWORK_READ,
            _S.ORDERS_READ,
            _S.CASES_READ,
            _S.CASES_WRITE,
            _S.TOKENS_WRITE,
        }
    ),
    Role.FINANCE: frozenset(
        {
            _S.SHIPMENTS_READ,
            _S.CUSTOMERS_READ,
            _S.ORDERS_READ,
            _S.TERMS_READ,
            _S.TERMS_WRITE,
            _S.TERMS_APPROVE,
            _S.LEDGER_READ,
            _S.PAYOUTS_READ,
            _S.PAYOUTS_PREPARE,
            _S.PAYOUTS_APPROVE,
            _S.CASES_READ,
            _S.CLAIMS_APPROVE,
            _S.TOKENS_WRITE,
        }
    ),
    Role.ADMIN: frozenset(Scope),
}
