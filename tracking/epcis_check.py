"""Is this an EPCIS 2.0 event? Every fault with a JSON pointer, and nothing assumed of what is given.

What stands here follows GS1 EPCIS 2.0 (ISO/IEC 19987:2024), section 7, and the vocabularies of CBV 2.0
(ISO/IEC 19988), section 7. Fields of other namespaces (a colon in the name) are let through as they are.
"""

import re
from collections.abc import Mapping
from typing import Any

from tracking.epcis_shapes import (
    Check,
    Fault,
    Faults,
    is_uri,
    list_of,
    number,
    object_of,
    pattern,
    pointed,
    time,
    unstorable,
    uri,
    word,
)

FAULTS_MAX = 20

_OFFSET = re.compile(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)")
_UNIT = re.compile(r"[A-Z0-9]{2,3}")

BIZ_STEPS = frozenset(
    [
        "accepting",
        "arriving",
        "assembling",
        "collecting",
        "commissioning",
        "consigning",
        "creating_class_instance",
        "cycle_counting",
        "decommissioning",
        "departing",
        "destroying",
        "disassembling",
        "dispensing",
        "encoding",
        "entering_exiting",
        "holding",
        "inspecting",
        "installing",
        "killing",
        "loading",
        "other",
        "packing",
        "picking",
        "receiving",
        "removing",
        "repackaging",
        "repairing",
        "replacing",
        "reserving",
        "retail_selling",
        "sampling",
        "sensor_reporting",
        "shipping",
        "staging_outbound",
        "stock_taking",
        "stocking",
        "storing",
        "transporting",
        "unloading",
        "unpacking",
        "void_shipping",
    ]
)
DISPOSITIONS = frozenset(
    [
        "active",
        "available",
        "completeness_inferred",
        "completeness_verified",
        "conformant",
        "container_closed",
        "container_open",
        "damaged",
        "destroyed",
        "dispensed",
        "disposed",
        "encoded",
        "expired",
        "in_progress",
        "in_transit",
        "inactive",
        "mismatch_class",
        "mismatch_instance",
        "mismatch_quantity",
        "needs_replacement",
        "no_pedigree_match",
        "non_conformant",
        "non_sellable_other",
        "partially_dispensed",
        "recalled",
        "reserved",
        "retail_sold",
        "returned",
        "sellable_accessible",
        "sellable_not_accessible",
        "stolen",
        "unavailable",
        "unknown",
    ]
)
REASONS = frozenset({"did_not_occur", "incorrect_data"})
ACTIONS = frozenset({"ADD", "OBSERVE", "DELETE"})


def faults_of(event: object) -> list[Fault]:
    """Return what is wrong with an event, at most `FAULTS_MAX` faults; nothing when it is one.

    Args:
        event: any JSON value as Python has it.
    """
    kept_out = list(_limited(unstorable(event)))
    return kept_out or list(_limited(_faults(event)))


def _limited(faults: Faults) -> Faults:
    for _place, fault in zip(range(FAULTS_MAX), faults, strict=False):
        yield fault


def _faults(event: object) -> Faults:
    if not isinstance(event, dict):
        yield Fault("", "an event is an object")
        return
    kind = event.get("type")
    if not isinstance(kind, str) or (kind not in _FIELDS and not is_uri(kind)):
        yield Fault("/type", f"must be one of {', '.join(_FIELDS)}, or a type of another namespace")
        return
    fields = {**_COMMON, **_FIELDS.get(kind, {})}
    for name in (*_REQUIRED, *_REQUIRED_OF.get(kind, ())):
        if name not in event:
            yield Fault(f"/{name}", "is required")
    for name, value in event.items():
        check = fields.get(name)
        if check is not None:
            yield from check(value, f"/{name}")
        elif kind in _FIELDS and ":" not in name:
            yield Fault(f"/{pointed(name)}", f"is no field of an {kind}; others need a prefix")
    if kind in _SUBJECTS:
        yield from _subject(kind, event)


def _subject(kind: str, event: Mapping[str, Any]) -> Faults:
    """An event says what it is about; a DELETE may mean all of it."""
    if event.get("action") == "DELETE" and kind != "ObjectEvent":
        return
    empty_may_be = {"epcList"} if kind in ("ObjectEvent", "TransactionEvent") else set()
    if not any(event.get(name) or (name in empty_may_be and name in event) for name in _SUBJECTS[kind]):
        yield Fault("", f"an {kind} needs one of {', '.join(_SUBJECTS[kind])}")


def _context(value: object, at: str) -> Faults:
    for part in value if isinstance(value, list) else [value]:
        if not isinstance(part, dict) and not is_uri(part):
            yield Fault(at, "must be a URI, an object, or an array of them")


def _certification(value: object, at: str) -> Faults:
    yield from (list_of(uri) if isinstance(value, list) else uri)(value, at)


_PLACE = object_of({"id": uri}, ("id",))
_EPCS = list_of(uri, unique=True)
_QUANTITIES = list_of(
    object_of(
        {"epcClass": uri, "quantity": number, "uom": pattern(_UNIT, "a unit of UN/CEFACT Rec. 20")},
        ("epcClass",),
        closed=True,
    )
)
_WHY = object_of(
    {
        "declarationTime": time,
        "reason": word(REASONS, "reason"),
        "correctiveEventIDs": list_of(uri),
    },
    ("declarationTime",),
)
_DISPOSITION = word(DISPOSITIONS, "disposition")
_PERSISTENT = object_of({"set": list_of(_DISPOSITION), "unset": list_of(_DISPOSITION)}, (), closed=True)
_SENSORS = list_of(
    object_of(
        {
            "sensorMetadata": object_of({}, (), prefixed=False),
            "sensorReport": list_of(object_of({}, (), prefixed=False), least=1),
        },
        ("sensorReport",),
    )
)


def _related(name: str) -> Check:
    """A list of what an event is related to; their `type` may be a bare word or a URI."""

    def kind(value: object, at: str) -> Faults:
        if not isinstance(value, str) or not value:
            yield Fault(at, "must be a word or a URI")

    needed = (name,) if name == "bizTransaction" else (name, "type")
    return list_of(object_of({"type": kind, name: uri}, needed, closed=True))


_COMMON: Mapping[str, Check] = {
    "@context": _context,
    "type": lambda _value, _at: iter(()),
    "eventID": uri,
    "eventTime": time,
    "recordTime": time,
    "eventTimeZoneOffset": pattern(_OFFSET, "an offset such as +08:00"),
    "certificationInfo": _certification,
    "errorDeclaration": _WHY,
}
_SHARED: Mapping[str, Check] = {
    "bizStep": word(BIZ_STEPS, "business step"),
    "disposition": _DISPOSITION,
    "readPoint": _PLACE,
    "bizLocation": _PLACE,
    "bizTransactionList": _related("bizTransaction"),
    "sourceList": _related("source"),
    "destinationList": _related("destination"),
    "sensorElementList": _SENSORS,
}
_ACTION: Mapping[str, Check] = {"action": word(ACTIONS, "action", open_to_others=False)}
_ILMD: Mapping[str, Check] = {
    "ilmd": object_of({}, (), prefixed=False),
    "persistentDisposition": _PERSISTENT,
}
_CHILDREN: Mapping[str, Check] = {"parentID": uri, "childEPCs": _EPCS, "childQuantityList": _QUANTITIES}
_THINGS: Mapping[str, Check] = {"epcList": _EPCS, "quantityList": _QUANTITIES}
_FIELDS: Mapping[str, Mapping[str, Check]] = {
    "ObjectEvent": {**_SHARED, **_ACTION, **_ILMD, **_THINGS},
    "AggregationEvent": {**_SHARED, **_ACTION, **_CHILDREN},
    "TransactionEvent": {**_SHARED, **_ACTION, **_THINGS, "parentID": uri},
    "TransformationEvent": {
        **_SHARED,
        **_ILMD,
        "inputEPCList": _EPCS,
        "inputQuantityList": _QUANTITIES,
        "outputEPCList": _EPCS,
        "outputQuantityList": _QUANTITIES,
        "transformationID": uri,
    },
    "AssociationEvent": {**_SHARED, **_ACTION, **_CHILDREN},
}
_REQUIRED = ("eventTime", "eventTimeZoneOffset")
_REQUIRED_OF = {
    "ObjectEvent": ("action",),
    "AggregationEvent": ("action",),
    "TransactionEvent": ("action", "bizTransactionList"),
    "AssociationEvent": ("action", "parentID"),
}
_SUBJECTS = {
    "ObjectEvent": ("epcList", "quantityList", "sensorElementList"),
    "AggregationEvent": ("childEPCs", "childQuantityList"),
    "TransactionEvent": ("epcList", "quantityList"),
    "TransformationEvent": ("inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList"),
    "AssociationEvent": ("childEPCs", "childQuantityList"),
}
