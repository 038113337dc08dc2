"""Who bears a loss, read from the chain of custody that the scans prove."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from settlement.errors import CompensationError


@dataclass(frozen=True, slots=True)
class Custody:
    """A stretch of time in which one party had the parcel, proven by scans.

    Args:
        party_id: who had it.
        facility_id: where; None on the road.
        from_at: taken over, with an offset.
        to_at: handed on; None if it never was.
        scan_ids: the scans that prove it.
        damaged_at: when this party first noted damage or a shortage; None if it did not.
        lost_at: when this party first noted that the parcel is missing; None if it did not.

    Raises:
        CompensationError: a time has no offset or lies before the custody began.
    """

    party_id: int
    facility_id: int | None
    from_at: datetime
    to_at: datetime | None
    scan_ids: tuple[str, ...]
    damaged_at: datetime | None = None
    lost_at: datetime | None = None

    def __post_init__(self) -> None:
        for moment in (self.from_at, self.to_at, self.damaged_at, self.lost_at):
            if moment is not None and moment.tzinfo is None:
                raise CompensationError(f"custody of party {self.party_id}: a time has no offset")
            if moment is not None and moment < self.from_at:
                raise CompensationError(f"custody of party {self.party_id}: a time before it began")
        if not self.scan_ids:
            raise CompensationError(f"custody of party {self.party_id}: no scan proves it")

    @property
    def noted_at(self) -> datetime | None:
        """When this party first noted damage or loss."""
        noted = [moment for moment in (self.damaged_at, self.lost_at) if moment is not None]
        return min(noted, default=None)


class BearerReason(StrEnum):
    """Why this party bears the loss."""

    NOTED_IN_CUSTODY = "noted_in_custody"
    """It was first noted while the party had the parcel."""
    NOTED_AT_TAKEOVER = "noted_at_takeover"
    """The next party noted it on taking over: it happened before."""
    NOTED_AT_ACCEPTANCE = "noted_at_acceptance"
    """The first carrier noted it on acceptance: nobody in the chain bears it."""
    NEVER_HANDED_ON = "never_handed_on"
    """Nothing was noted, and this party never handed the parcel on."""
    LAST_CUSTODIAN = "last_custodian"
    """Nothing was noted before the parcel left the chain; this party had it last."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """The party that bears the loss (None: nobody in the chain), why, where, and the scans that show it."""

    party_id: int | None
    facility_id: int | None
    reason: BearerReason
    scan_ids: tuple[str, ...]


def attribute(scan_chain: tuple[Custody, ...]) -> Bearer:
    """The last party that had custody when damage or loss was first noted.

    A party that notes it at the very moment of taking over did not have custody yet when it happened: then
    the party before it bears it. Where nobody noted anything, the party bears it that never handed the
    parcel on, else the last one.

    Args:
        scan_chain: the stretches of custody in any order.

    Raises:
        CompensationError: there is no custody to read.
    """
    if not scan_chain:
        raise CompensationError("without a scan nobody had custody")
    chain = sorted(scan_chain, key=lambda custody: (custody.from_at, custody.scan_ids))
    noted = [(custody.noted_at, index) for index, custody in enumerate(chain) if custody.noted_at is not None]
    if not noted:
        last = chain[-1]
        reason = BearerReason.NEVER_HANDED_ON if last.to_at is None else BearerReason.LAST_CUSTODIAN
        return Bearer(last.party_id, last.facility_id, reason, last.scan_ids)
    noted_at, index = min(noted)
    witness = chain[index]
    if noted_at > witness.from_at:
        return Bearer(witness.party_id, witness.facility_id, BearerReason.NOTED_IN_CUSTODY, witness.scan_ids)
    if index == 0:
        return Bearer(None, witness.facility_id, BearerReason.NOTED_AT_ACCEPTANCE, witness.scan_ids)
    before = chain[index - 1]
    evidence = (*before.scan_ids, *witness.scan_ids)
    return Bearer(before.party_id, before.facility_id, BearerReason.NOTED_AT_TAKEOVER, evidence)
