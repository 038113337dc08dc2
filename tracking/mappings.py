"""Our codes in the words that customers' systems already speak.

One row a code: AfterShip subtag (its tag is the part before the underscore), EasyPost status and status
detail, ShipEngine status code and status detail code, 17TRACK sub-status (its status is the part before the
underscore) and KDNiao state code. Where a system has no word for an exact code, the row has its word for the
milestone. The rows at the end are failed attempts, by reason.

Sources, November 2026: AfterShip's pages "Delivery statuses" and "Delivery sub-statuses" (2026-07;
Delivered_005 is new there); ShipEngine's package connect-carrier-api 4.16 and clients of its successor
ShipStation; for EasyPost, 17TRACK and KDNiao the lists that published clients repeat, not their own pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tracking.shipment import AttemptReason, Milestone, ScanCode

_AFTERSHIP_EASYPOST = """
booked                  InfoReceived_001        pre_transit           label_created
pickup_failed           InfoReceived_001        pre_transit           awaiting_information
cancelled               Exception_001           cancelled             cancelled
collected               InTransit_002           in_transit            in_transit
deposited               InTransit_002           in_transit            received_at_origin_facility
accepted                InTransit_002           in_transit            received_at_origin_facility
arrived                 InTransit_003           in_transit            arrived_at_facility
missorted               InTransit_001           in_transit            missorted
damaged                 Exception_012           in_transit            damaged
delayed                 Exception_005           in_transit            delayed
held                    Exception_001           in_transit            held
intercepted             Exception_001           in_transit            held
released                InTransit_008           in_transit            in_transit
redirected              InTransit_009           in_transit            address_correction
sorted                  InTransit_001           in_transit            in_transit
departed                InTransit_007           in_transit            departed_facility
out_for_delivery        OutForDelivery_001      out_for_delivery      out_for_delivery
attempt_failed          AttemptFail_001         failure               delivery_exception
refused                 Exception_003           failure               refused
at_outlet               AvailableForPickup_001  available_for_pickup  arrived_at_pickup_location
at_store                AvailableForPickup_001  available_for_pickup  arrived_at_pickup_location
at_locker               AvailableForPickup_001  available_for_pickup  arrived_at_pickup_location
at_collective_point     AvailableForPickup_001  available_for_pickup  arrived_at_pickup_location
pickup_overdue          Exception_008           available_for_pickup  arrived_at_pickup_location
returning               Exception_010           return_to_sender      return
lost                    Exception_013           failure               lost
returned                Exception_011           return_to_sender      return
delivered               Delivered_001           delivered             arrived_at_destination
delivered_to_proxy      Delivered_005           delivered             arrived_at_destination
taken_from_point        Delivered_002           delivered             arrived_at_destination
taken_from_locker       Delivered_002           delivered             arrived_at_destination
receipt_confirmed       Delivered_001           delivered             arrived_at_destination
voided                  Pending_001             unknown               status_update
consignee_absent        AttemptFail_002         failure               delivery_exception
cannot_contact          AttemptFail_002         failure               delivery_exception
address_incomplete      Exception_007           failure               address_correction
phone_wrong             AttemptFail_001         failure               delivery_exception
out_of_area             AttemptFail_001         failure               delivery_exception
business_closed         AttemptFail_003         failure               delivery_exception
postponed_by_consignee  OutForDelivery_004      in_transit            delayed
no_access               AttemptFail_001         failure               delivery_exception
cash_not_paid           Exception_006           failure               delivery_exception
locker_full             AttemptFail_001         failure               delivery_exception
"""

_SHIPENGINE_17TRACK_KDNIAO = """
booked                  AC ELEC_ADVICE_RECD_BY_CARRIER            InfoReceived                    10
pickup_failed           AC COLLECTION_FAILED                      InfoReceived                    10
cancelled               EX CANCELLED_BEFORE_DESPATCH              Exception_Cancel                415
collected               IT COLLECTION_MADE                        InTransit_PickedUp              1
deposited               IT RECEIVED_BY_CARRIER                    InTransit_PickedUp              1
accepted                IT RECEIVED_BY_CARRIER                    InTransit_PickedUp              1
arrived                 IT HUB_SCAN_IN                            InTransit_Arrival               204
missorted               IT MISSORTED                              Exception_Other                 422
damaged                 EX PARCEL_DAMAGED                         Exception_Damage                414
delayed                 IT CARRIER_DELAYS                         Exception_Delayed               417
held                    IT HELD_BY_CARRIER                        Exception_Other                 405
intercepted             EX HELD_BY_CARRIER                        Exception_Other                 413
released                IT IN_TRANSIT                             InTransit_Other                 2
redirected              IT PARCEL_REDIRECTED                      InTransit_Other                 5
sorted                  IT HUB_PROCESSING                         InTransit_Other                 2
departed                IT HUB_SCAN_OUT                           InTransit_Departure             2
out_for_delivery        IT OUT_FOR_DELIVERY                       OutForDelivery_Other            202
attempt_failed          AT ATTEMPTED_DELIVERY                     DeliveryFailure_Other           405
refused                 EX REFUSED_BY_CUSTOMER                    DeliveryFailure_Rejected        404
at_outlet               SP CUSTOMER_TO_COLLECT_FROM_CARRIER       AvailableForPickup_Other        211
at_store                SP AWAITING_COLLECTION_FROM_PICKUP_POINT  AvailableForPickup_Other        211
at_locker               SP DELIVERED_TO_LOCKER_COLLECTION_POINT   AvailableForPickup_Other        211
at_collective_point     SP AWAITING_COLLECTION_FROM_PICKUP_POINT  AvailableForPickup_Other        211
pickup_overdue          SP NOT_COLLECTED_FROM_PICKUP_POINT        AvailableForPickup_Other        412
returning               EX RETURN_TO_SENDER                       Exception_Returning             407
lost                    EX PARCEL_LOST                            Exception_Lost                  405
returned                EX RETURN_TO_SENDER                       Exception_Returned              406
delivered               DE DELIVERED                              Delivered_Other                 301
delivered_to_proxy      DE DELIVERED_TO_NEIGHBOUR                 Delivered_Other                 304
taken_from_point        DE PARCEL_COLLECTED_FROM_PICKUP_POINT     Delivered_Other                 311
taken_from_locker       DE PARCEL_COLLECTED_FROM_PICKUP_POINT     Delivered_Other                 311
receipt_confirmed       DE PROOF_OF_DELIVERY                      Delivered_Other                 301
voided                  UN CARRIER_STATUS_NOT_MAPPED              NotFound_Other                  -
consignee_absent        AT CUSTOMER_CARDED                        DeliveryFailure_NoBody          405
cannot_contact          AT ATTEMPTED_DELIVERY                     DeliveryFailure_NoBody          416
address_incomplete      EX ADDRESS_QUERY                          DeliveryFailure_InvalidAddress  420
phone_wrong             AT ATTEMPTED_DELIVERY                     DeliveryFailure_NoBody          421
out_of_area             EX PARCEL_OUTSIDE_OF_SERVICE_CAPABILITY   DeliveryFailure_Other           423
business_closed         AT ATTEMPTED_DELIVERY                     DeliveryFailure_NoBody          405
postponed_by_consignee  AT DELIVERY_ARRANGED_WITH_RECIPIENT       DeliveryFailure_Other           419
no_access               AT NO_ACCESS_TO_RECIPIENTS_ADDRESS        DeliveryFailure_Other           405
cash_not_paid           AT COD_AMOUNT_NOT_PAID                    DeliveryFailure_Security        405
locker_full             AT ATTEMPTED_DELIVERY                     DeliveryFailure_Other           405
"""


@dataclass(frozen=True, slots=True)
class Foreign:
    """One of our codes in the words of five other systems: (status, detail) each, and KDNiao's one code.

    `kdniao` is None where KDNiao has no state.
    """

    aftership: tuple[str, str]
    easypost: tuple[str, str]
    shipengine: tuple[str, str]
    seventeentrack: tuple[str, str]
    kdniao: str | None


def _read() -> dict[str, Foreign]:
    rows: dict[str, Foreign] = {}
    lines = zip(_AFTERSHIP_EASYPOST.split("\n"), _SHIPENGINE_17TRACK_KDNIAO.split("\n"), strict=True)
    for left, right in lines:
        if not left:
            continue
        code, subtag, easypost, easypost_detail = left.split()
        same, shipengine, shipengine_detail, sub_status, kdniao = right.split()
        assert code == same, "the two tables list the same codes in the same order"
        rows[code] = Foreign(
            (subtag.partition("_")[0], subtag),
            (easypost, easypost_detail),
            (shipengine, shipengine_detail),
            (sub_status.partition("_")[0], sub_status),
            None if kdniao == "-" else kdniao,
        )
    return rows


_ROWS = _read()

BY_CODE: Mapping[ScanCode, Foreign] = MappingProxyType({code: _ROWS[code.value] for code in ScanCode})
BY_REASON: Mapping[AttemptReason, Foreign] = MappingProxyType(
    {reason: _ROWS[reason.value] for reason in AttemptReason}
)
"""What a failed attempt becomes where its reason has a word of its own."""

NOTHING_YET = Foreign(
    ("Pending", "Pending_001"),
    ("unknown", "unknown"),
    ("NY", "AWAITING_ELECTRONIC_ADVICE"),
    ("NotFound", "NotFound_Other"),
    "0",
)
"""A number that is known while nothing has happened."""


def foreign(milestone: Milestone, code: ScanCode | None, reason: str | None = None) -> Foreign:
    """Return how other systems call the state that (milestone, code, reason) of a `ShipmentState` name.

    On its way back to the sender a parcel is "returning" to them whatever is scanned on the way.
    """
    if code is None:
        return NOTHING_YET
    if milestone is Milestone.RETURNING:
        return BY_CODE[ScanCode.RETURNING]
    if code is ScanCode.ATTEMPT_FAILED and reason in set(AttemptReason):
        return BY_REASON[AttemptReason(reason)]
    return BY_CODE[code]
