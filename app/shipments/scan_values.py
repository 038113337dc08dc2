"""A scan as a device sends it, what may be wrong with it, and what became of it.

The values hold no cycles, so the collector need not look at the ten thousand of a batch (`gc=False`).
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec

from app.accounts.roles import Role
from app.actor import Actor
from app.shipments.models import ProofKind
from app.shipments.values import parse_number, scan_key
from tracking.shipment import OFFSET_MINUTES_MAX, OFFSET_MINUTES_MIN, ScanCode

PROOF_BYTES_MAX = 300_000
PROOF_TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})
DELIVERED = frozenset(
    {ScanCode.DELIVERED, ScanCode.DELIVERED_TO_PROXY, ScanCode.TAKEN_FROM_POINT, ScanCode.TAKEN_FROM_LOCKER}
)
# What only the service itself records, and the devices it does so as.
BOOKING_DEVICE, RECEIPT_DEVICE, CANCEL_DEVICE = "booking", "receipt", "cancel"
INSTRUCTION_DEVICE, POINT_DEVICE, MERGE_DEVICE = "instruction", "pickup-point", "merge"
_OWN_DEVICES = frozenset(
    {BOOKING_DEVICE, RECEIPT_DEVICE, CANCEL_DEVICE, INSTRUCTION_DEVICE, POINT_DEVICE, MERGE_DEVICE}
)
_OWN_CODES = frozenset({ScanCode.BOOKED, ScanCode.RECEIPT_CONFIRMED, ScanCode.CANCELLED})

_CODES = {code.value: code for code in ScanCode}
# What any device may say without more.
_PLAIN_CODES = frozenset(code.value for code in set(ScanCode) - _OWN_CODES - {ScanCode.VOIDED})
FUTURE_MAX = timedelta(days=2)
PAST_MAX = timedelta(days=400)
_TEXT_LENGTH_MAX = 200
_REASON_LENGTH_MAX = 500
ID_MAX = 2**63 - 1


class ProofInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Who received it and how that is proved; the content is a picture, or the text of a code."""

    kind: ProofKind
    received_by: str
    content_type: str | None = None
    content: bytes | None = msgspec.field(default=None, name="content_base64")


class ScanInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One scan as a device sends it, also as JSON; `occurred_at` is the device's time, aware.

    `number` may be what a piece's barcode says; `piece_no` speaks for itself where it is given. `corrects`
    is the `scan_key` of the scan that this one declares an error. `device_id` and `client_scan_id` together
    recognise a scan when it is sent again.
    """

    number: str
    code: str
    occurred_at: datetime
    device_id: str
    client_scan_id: str
    offset_minutes: int = 480
    facility_id: int | None = None
    courier_id: int | None = None
    reason: str | None = None
    corrects: str | None = None
    proof: ProofInput | None = None
    piece_no: int | None = None


class Refused(enum.StrEnum):
    """Why a scan is not kept."""

    MALFORMED = "malformed"
    UNKNOWN_CODE = "unknown_code"
    CLOCK_WRONG = "clock_wrong"
    UNKNOWN_PLACE = "unknown_place"
    UNKNOWN_PIECE = "unknown_piece"
    BAD_PROOF = "bad_proof"
    NOT_YOURS = "not_yours"
    NOT_OF_A_CONTAINER = "not_of_a_container"


Refusal = tuple[Refused, str]


class ScanResult(msgspec.Struct, frozen=True, gc=False):
    """What became of one scan.

    `status`: recorded, duplicate (heard before, the same), conflict (heard before with other content; the
    first stays), unmatched (kept, but nobody booked the number), rejected (not kept; `reason` and `detail`
    say why). `moved` counts the pieces inside, where the number is a container's.
    """

    status: str
    client_scan_id: str
    number: str
    scan_key: str | None = None
    milestone: str | None = None
    reason: Refused | None = None
    detail: str | None = None
    moved: int | None = None


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A scan that is well formed, with what was worked out about it once."""

    scan: ScanInput
    code: ScanCode
    number: str
    piece_no: int | None
    facility_id: int | None
    courier_id: int | None
    key: str

    @classmethod
    def of(cls, tenant_id: int, actor: Actor | None, scan: ScanInput) -> Heard:
        """Put the login's own facility or courier where the device named none."""
        number, piece_no = parse_number(scan.number)
        facility_id, courier_id = scan.facility_id, scan.courier_id
        if actor is not None and actor.subject_id is not None:
            if facility_id is None and actor.role == Role.HUB:
                facility_id = actor.subject_id
            if courier_id is None and actor.role == Role.COURIER:
                courier_id = actor.subject_id
        return cls(
            scan,
            _CODES[scan.code],
            number,
            scan.piece_no if scan.piece_no is not None else piece_no,
            facility_id,
            courier_id,
            scan_key(tenant_id, scan.device_id, scan.client_scan_id),
        )


class Gate:
    """Tells the scans of a batch that cannot be kept.

    Nearly all are as they should be, and one look shows it; the others are looked at again for the reason.

    Args:
        tenant_id: whose scans they are.
        actor: whose device sends them; None for the service itself.
        facility_ids: those of the tenant, among all that the batch names.
        now: the server's time.
    """

    def __init__(
        self, tenant_id: int, actor: Actor | None, facility_ids: Collection[int], now: datetime
    ) -> None:
        self._tenant_id, self._actor, self._facility_ids, self._now = tenant_id, actor, facility_ids, now
        self._earliest, self._latest = now - PAST_MAX, now + FUTURE_MAX
        subject_id = None if actor is None else actor.subject_id
        at_one_place = actor is not None and actor.role == Role.HUB and subject_id is not None
        self._places = {None, *({subject_id} & set(facility_ids) if at_one_place else facility_ids)}
        self._devices: set[str] = set()  # those whose names were found to be usual

    def refusal(self, scan: ScanInput) -> Refusal | None:
        """Why a scan cannot be kept, whatever its number; None when it can."""
        if self._usual(scan):
            return None
        return (
            _malformed(scan)
            or _impossible(scan, self._facility_ids, self._now)
            or (None if self._actor is None else _not_yours(self._tenant_id, self._actor, scan))
        )

    def _usual(self, scan: ScanInput) -> bool:
        number, client_scan_id = scan.number, scan.client_scan_id
        return (
            scan.code in _PLAIN_CODES
            and scan.facility_id in self._places
            and scan.courier_id is None
            and scan.reason is None
            and scan.corrects is None
            and scan.proof is None
            and scan.piece_no is None
            and scan.occurred_at.tzinfo is not None
            and self._earliest <= scan.occurred_at <= self._latest
            and OFFSET_MINUTES_MIN <= scan.offset_minutes <= OFFSET_MINUTES_MAX
            and 0 < len(number) <= _TEXT_LENGTH_MAX
            and 0 < len(client_scan_id) <= _TEXT_LENGTH_MAX
            and not number.isspace()
            and "\0" not in client_scan_id
            and "\0" not in number
            and (scan.device_id in self._devices or self._usual_device(scan.device_id))
        )

    def _usual_device(self, device_id: str) -> bool:
        usual = (
            0 < len(device_id) <= _TEXT_LENGTH_MAX and "\0" not in device_id and device_id not in _OWN_DEVICES
        )
        if usual:
            self._devices.add(device_id)
        return usual


def _malformed(scan: ScanInput) -> Refusal | None:
    number, device_id, client_scan_id = scan.number, scan.device_id, scan.client_scan_id
    if "\0" in number or "\0" in device_id or "\0" in client_scan_id:
        return Refused.MALFORMED, "a text holds a NUL character"
    if len(number) > _TEXT_LENGTH_MAX or not number.strip():
        return Refused.MALFORMED, "number must not be empty or too long"
    if not (device_id and client_scan_id):
        return Refused.MALFORMED, "device_id and client_scan_id must not be empty"
    if len(device_id) > _TEXT_LENGTH_MAX or len(client_scan_id) > _TEXT_LENGTH_MAX:
        return Refused.MALFORMED, f"an id is longer than {_TEXT_LENGTH_MAX} characters"
    if scan.reason is not None and ("\0" in scan.reason or len(scan.reason) > _REASON_LENGTH_MAX):
        return Refused.MALFORMED, "reason is too long, or holds a NUL character"
    if scan.corrects is not None and not _is_key(scan.corrects):
        return Refused.MALFORMED, "corrects is empty or too long, or holds a NUL character"
    if scan.courier_id is not None and not 0 < scan.courier_id <= ID_MAX:
        return Refused.MALFORMED, f"there is no courier {scan.courier_id}"
    if scan.piece_no is not None and scan.piece_no < 1:
        return Refused.MALFORMED, "pieces count from 1"
    return None


def _is_key(text: str) -> bool:
    return 0 < len(text) <= _TEXT_LENGTH_MAX and "\0" not in text


def _impossible(scan: ScanInput, facility_ids: Collection[int], now: datetime) -> Refusal | None:
    if scan.code not in _CODES:
        return Refused.UNKNOWN_CODE, f"{scan.code!r} is no scan code"
    if scan.occurred_at.tzinfo is None:
        return Refused.MALFORMED, "occurred_at needs an offset"
    if not OFFSET_MINUTES_MIN <= scan.offset_minutes <= OFFSET_MINUTES_MAX:
        return Refused.MALFORMED, "offset_minutes is out of range"
    if not now - PAST_MAX <= scan.occurred_at <= now + FUTURE_MAX:
        return (
            Refused.CLOCK_WRONG,
            "occurred_at is more than 400 days ago or two days ahead: the device's clock is wrong",
        )
    if scan.code == ScanCode.VOIDED and not scan.corrects:
        return Refused.MALFORMED, "a voided scan names the scan it corrects"
    if scan.facility_id is not None and scan.facility_id not in facility_ids:
        return Refused.UNKNOWN_PLACE, f"there is no facility {scan.facility_id}"
    return None if scan.proof is None else _bad_proof(scan.code, scan.proof)


def _bad_proof(code: str, proof: ProofInput) -> Refusal | None:
    if code not in DELIVERED:
        return Refused.BAD_PROOF, "only a delivery carries a proof"
    if (
        not proof.received_by.strip()
        or "\0" in proof.received_by
        or len(proof.received_by) > _TEXT_LENGTH_MAX
    ):
        return Refused.BAD_PROOF, "the proof names nobody who received it"
    if proof.content is not None and len(proof.content) > PROOF_BYTES_MAX:
        return Refused.BAD_PROOF, f"the proof is larger than {PROOF_BYTES_MAX} bytes"
    if proof.kind == ProofKind.CODE and proof.content_type in (None, "text/plain"):
        return None
    if proof.content is None or proof.content_type not in PROOF_TYPES:
        return Refused.BAD_PROOF, f"a {proof.kind} is a picture: {', '.join(sorted(PROOF_TYPES))}"
    return None


def _not_yours(tenant_id: int, actor: Actor, scan: ScanInput) -> Refusal | None:
    """A hub's login scans at its own facility, a courier's as himself, and none in the service's name."""
    if scan.code in _OWN_CODES:
        return Refused.NOT_YOURS, f"{scan.code} is not recorded by a device"
    if scan.device_id in _OWN_DEVICES:
        return Refused.NOT_YOURS, f"{scan.device_id} is no device's name"
    if scan.corrects is not None and scan.corrects in _own_keys(tenant_id, scan.number):
        return (
            Refused.NOT_YOURS,
            "a booking, its cancellation and a confirmed receipt are not corrected by a device",
        )
    if actor.subject_id is None:
        return None
    if actor.role == Role.HUB and scan.facility_id not in (None, actor.subject_id):
        return Refused.NOT_YOURS, "this login scans at its own facility only"
    if actor.role == Role.COURIER and scan.courier_id not in (None, actor.subject_id):
        return Refused.NOT_YOURS, "this login scans for its own courier only"
    return None


def _own_keys(tenant_id: int, number: str) -> set[str]:
    """What the service itself records of a number; the keys are known before the scans are there."""
    plain, _piece_no = parse_number(number)
    return {scan_key(tenant_id, device_id, plain) for device_id in _OWN_DEVICES}
