"""How little of an identity stands on a page until somebody gives a reason to see it."""

from __future__ import annotations

from app.customers.identities import local_phone
from app.customers.models import CustomerIdentity, IdentityKind
from app.masking import MASK, mask_phone


def mask_identity(identity: CustomerIdentity) -> str:
    """A phone as on every page; of a mail address the first letter and the domain; of a card the end."""
    value = identity.value
    match identity.kind:
        case IdentityKind.PHONE:
            return mask_phone(local_phone(value.partition(";")[0]))
        case IdentityKind.EMAIL:
            local, _at, domain = value.rpartition("@")
            return f"{local[:1]}{MASK * 3}@{domain}"
        case IdentityKind.CARD:
            return MASK * max(len(value) - 4, 4) + value[max(len(value) - 4, 2) :]
