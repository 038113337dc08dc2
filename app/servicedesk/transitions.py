"""The one table of a case's status: what each event means in each state; a missing pair is refused."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from app.servicedesk.values import CaseEventKind, CaseStatus

_S, _E = CaseStatus, CaseEventKind

TRANSITIONS: Mapping[tuple[CaseStatus, CaseEventKind], CaseStatus] = MappingProxyType(
    {
        (_S.OPEN, _E.CUSTOMER_MESSAGE): _S.OPEN,
        (_S.OPEN, _E.REPLY): _S.OPEN,
        (_S.OPEN, _E.NOTE): _S.OPEN,
        (_S.OPEN, _E.ASSIGNED): _S.OPEN,
        (_S.OPEN, _E.WAITING): _S.WAITING_CUSTOMER,
        (_S.OPEN, _E.RESOLVED): _S.RESOLVED,
        (_S.OPEN, _E.CLAIM_PROPOSED): _S.OPEN,
        (_S.OPEN, _E.CLAIM_POSTED): _S.OPEN,
        (_S.OPEN, _E.CLAIM_REFUSED): _S.OPEN,
        # The customer's word is what was waited for.
        (_S.WAITING_CUSTOMER, _E.CUSTOMER_MESSAGE): _S.OPEN,
        (_S.WAITING_CUSTOMER, _E.REPLY): _S.WAITING_CUSTOMER,
        (_S.WAITING_CUSTOMER, _E.NOTE): _S.WAITING_CUSTOMER,
        (_S.WAITING_CUSTOMER, _E.ASSIGNED): _S.WAITING_CUSTOMER,
        (_S.WAITING_CUSTOMER, _E.RESOLVED): _S.RESOLVED,
        (_S.WAITING_CUSTOMER, _E.CLAIM_PROPOSED): _S.WAITING_CUSTOMER,
        (_S.WAITING_CUSTOMER, _E.CLAIM_POSTED): _S.WAITING_CUSTOMER,
        (_S.WAITING_CUSTOMER, _E.CLAIM_REFUSED): _S.WAITING_CUSTOMER,
        # Who is not content says so, and the case is open again, also after it was closed.
        (_S.RESOLVED, _E.CUSTOMER_MESSAGE): _S.OPEN,
        (_S.RESOLVED, _E.REPLY): _S.RESOLVED,
        (_S.RESOLVED, _E.NOTE): _S.RESOLVED,
        (_S.RESOLVED, _E.ASSIGNED): _S.RESOLVED,
        (_S.RESOLVED, _E.CLOSED): _S.CLOSED,
        (_S.CLOSED, _E.CUSTOMER_MESSAGE): _S.OPEN,
        (_S.CLOSED, _E.NOTE): _S.CLOSED,
    }
)


def after(status: CaseStatus, event: CaseEventKind) -> CaseStatus | None:
    """The status after an event; None when the event cannot happen in this state."""
    return TRANSITIONS.get((status, event))
