"""What instructions, their standings, refusals and consents are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from app.deliveries.codes import Try
from app.deliveries.door_models import Means, Relation
from app.deliveries.models import ConsentChannel, PriceBearer
from app.deliveries.point_models import DisputeKind
from app.deliveries.values import Window
from tracking.instructions import Asker, InstructionKind, InstructionRefusal, Standing

_K, _R, _S = InstructionKind, InstructionRefusal, Standing

KINDS: Mapping[InstructionKind, Any] = {
    _K.REDELIVER: _l("Deliver on a chosen day"),
    _K.REDIRECT: _l("Bring it elsewhere"),
    _K.HOLD_AT_OUTLET: _l("Hold at the outlet"),
    _K.INTERCEPT: _l("Intercept"),
    _K.RETURN_TO_SENDER: _l("Send back"),
}

STANDINGS: Mapping[Standing, tuple[Any, str]] = {
    _S.ASKED: (_l("Waits for an answer"), "warn"),
    _S.ACCEPTED: (lazy_pgettext("instruction", "Accepted"), "progress"),
    _S.REFUSED: (_l("Not possible"), "bad"),
    _S.CARRIED_OUT: (_l("Done"), "ok"),
    _S.WITHDRAWN: (_l("Withdrawn"), "neutral"),
}
"""Each standing's word and tone."""

ASKERS: Mapping[Asker, Any] = {
    Asker.CONSIGNEE: _l("the consignee"),
    Asker.SHIPPER: _l("the sender"),
    Asker.STAFF: _l("the staff"),
}

REFUSALS: Mapping[InstructionRefusal, Any] = {
    _R.NOT_BY_YOU: _l("Only the sender, or the staff, can ask for this."),
    _R.NOT_COLLECTED: _l("The parcel is not collected yet; the sender can cancel the booking instead."),
    _R.OUT_FOR_DELIVERY: _l("The courier is on his way to the door with it."),
    _R.WAITS_AT_POINT: _l("It waits to be fetched already."),
    _R.STOPPED: _l("It is held up; that must be settled first."),
    _R.ON_ITS_WAY_BACK: _l("It is on its way back to the sender."),
    _R.ENDED: _l("Its way has ended."),
    _R.NOT_TO_A_DOOR: _l("It is not brought to a door."),
    _R.OTHER_CITY: _l("The place is in another city."),
    _R.NO_SUCH_PLACE: _l("Nobody hands over parcels there."),
    _R.ALREADY_SO: _l("It goes there as it is."),
    _R.NO_ROUTE: _l("No way leads there from where it is."),
    _R.COSTS_MORE: _l("It would cost more than was paid."),
    _R.PRICE_SETTLED: _l("Its price has been settled and cannot rise any more."),
    _R.CASH_DUE: _l("Cash is due at delivery, and a locker takes none."),
    _R.SEVERAL_PIECES: _l("Several pieces do not go into a locker."),
    _R.TOO_LARGE: _l("It is too large for the locker."),
    _R.NO_CONSENT: _l("The consignee has not consented to this."),
    _R.IN_A_ROUND: _l("A courier's round is planned with it already."),
    _R.OVERTAKEN: _l("Its way ended before it could be done."),
}

BEARERS: Mapping[PriceBearer, Any] = {
    PriceBearer.COMPANY: _l("borne by the company"),
    PriceBearer.SHIPPER: _l("charged to the sender"),
    PriceBearer.CONSIGNEE: _l("paid at the door"),
}

WINDOWS: Mapping[Window, Any] = {
    Window.DAY: _l("During the day, 08:00 to 18:00"),
    Window.MORNING: _l("In the morning, 08:00 to 12:00"),
    Window.AFTERNOON: _l("In the afternoon, 12:00 to 18:00"),
}

RELATIONS: Mapping[Relation, Any] = {
    Relation.FAMILY: _l("Family"),
    Relation.NEIGHBOUR: _l("A neighbour"),
    Relation.COLLEAGUE: _l("A colleague"),
    Relation.RECEPTION: _l("The reception"),
    Relation.OTHER: _l("Somebody else"),
}

MEANS: Mapping[Means, Any] = {Means.CASH: _l("Cash"), Means.CARD: _l("Card"), Means.QR: _l("QR code")}

DISPUTES: Mapping[DisputeKind, Any] = {
    DisputeKind.NOT_THERE: _l("It is not there"),
    DisputeKind.DAMAGED: _l("It is damaged"),
}

TRIES: Mapping[Try, tuple[Any, str]] = {
    Try.RIGHT: (_l("The code is right: give it out."), "success"),
    Try.WRONG: (_l("The code is wrong. Do not give it out."), "error"),
    Try.LOCKED: (_l("Too many wrong codes: it is locked for an hour."), "error"),
    Try.EXPIRED: (_l("It has waited too long and is on its way back to the outlet."), "error"),
}
"""What is said after a try, and as what kind of message."""

DEPOSIT_REFUSALS: Mapping[str, Any] = {
    "not_found": _l("Nobody booked this number."),
    "not_on_its_way": _l("It is not on its way here: booked only, waiting elsewhere, or ended."),
    "no_consent": _l("The consignee has not consented to this."),
    "stopped": _l("The sender has stopped it. Bring it back to the outlet."),
    "cash_due": _l("Cash is due at delivery, and a locker takes none."),
    "several_pieces": _l("Several pieces do not go into a locker."),
    "too_large": _l("It is too large."),
    "compartment_taken": _l("The compartment is taken."),
    "locker_full": _l("No compartment that it fits into is free."),
    "not_yours": _l("This login leaves parcels at its own place only."),
    "conflict": _l("It could not be recorded."),
}

CONSENTS: Mapping[ConsentChannel, tuple[Any, Any]] = {
    ConsentChannel.DOOR: (_l("At the door"), _l("The courier rings and hands it to you.")),
    ConsentChannel.LOCKER: (_l("In a locker"), _l("You fetch it with a code.")),
    ConsentChannel.STORE: (_l("At a store or point"), _l("It is kept for you nearby.")),
    ConsentChannel.PROXY: (_l("By somebody for you"), _l("A neighbour, colleague or the reception signs.")),
}
"""Each channel and what it means."""
