"""What a company has registered about itself."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.models import Tenant
from app.accounts.service import audit
from app.actor import Actor
from app.db.session import tenant_of
from app.errors import InvalidInputError

GS1_PREFIX = re.compile(r"[0-9]{4,12}", re.ASCII)
"""A GS1 company prefix (GS1 General Specifications, section 1.4): what GS1 licenses, digits only."""


def company_of(session: Session) -> Tenant:
    """The company that the session is of."""
    return session.get_one(Tenant, tenant_of(session))


def set_gs1_company_prefix(session: Session, actor: Actor, prefix: str | None, *, now: datetime) -> bool:
    """Number bags, manifests and trips by SSCC from now on; those that are open keep their numbers.

    Args:
        prefix: 4 to 12 digits as GS1 has licensed them; None for the house's own numbers.

    Returns:
        Whether it is another one than before.

    Raises:
        InvalidInputError: these are not 4 to 12 digits.
    """
    if prefix is not None and GS1_PREFIX.fullmatch(prefix) is None:
        detail = "must be 4 to 12 digits"
        raise InvalidInputError(
            "this is no GS1 company prefix", [{"detail": detail, "pointer": "/gs1_company_prefix"}]
        )
    company = company_of(session)
    before = company.gs1_company_prefix
    if prefix == before:
        return False
    company.gs1_company_prefix = prefix
    audit(
        session,
        actor,
        "company.gs1_prefix",
        subject_kind="tenant",
        subject_id=company.id,
        details={"before": before, "after": prefix},
        now=now,
    )
    return True
