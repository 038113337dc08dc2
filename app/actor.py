"""Who is asking: the value that services and guarded loaders are given (no Flask here)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking. `subject_id` is the customer, facility or courier that the login stands for."""

    user_id: int
    tenant_id: int
    name: str
    role: str
    scopes: frozenset[str]
    subject_id: int | None
    token_id: int | None = None

    def may(self, scope: str) -> bool:
        """Whether the role and the token cover a scope."""
        return scope in self.scopes

    @property
    def caller(self) -> str:
        """Whose idempotency keys these are."""
        return f"user:{self.user_id}"


def new_secret() -> str:
    """256 random bits in text."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> bytes:
    """What is stored of a random secret: enough to recognise it, useless to a thief."""
    return hashlib.sha256(secret.encode()).digest()
