"""EPCIS documents as values: opened, each event with what identifies it, and put together again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from app.errors import BadRequestError
from tracking.epcis import CONTEXT, Json
from tracking.epcis_check import faults_of
from tracking.epcis_shapes import Fault, moment_of

_BODY_OF = {
    "EPCISDocument": ("epcisBody", "eventList"),
    "EPCISQueryDocument": ("epcisBody", "queryResults", "resultsBody", "eventList"),
}
_encoder = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Opened:
    """A document: its events as they stand in it, where they stand, and what its context adds."""

    events: list[Any]
    pointer: str
    context: list[Any]


@dataclass(frozen=True, slots=True)
class Given:
    """An event without faults, with what identifies it.

    Args:
        place: its position in the document.
        event_id: its own, or one made of its content.
        digest: of its content, the error declaration included.
        declared_at: the time of its error declaration; None for the event itself.
        body: as it was received.
        context: what its document's context adds to that of the standard.
    """

    place: int
    event_id: str
    digest: str
    declared_at: datetime | None
    body: Json
    context: list[Any]


def decoded(raw: bytes) -> Any:
    """The JSON value of a request's body.

    Raises:
        BadRequestError: it is none, or is nested beyond all reason.
    """
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise invalid(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise invalid("the body is nested too deeply") from error


def opened(value: Any) -> Opened:
    """The events of an EPCISDocument or an EPCISQueryDocument.

    Raises:
        BadRequestError: it is neither.
    """
    kind = value.get("type") if isinstance(value, dict) else None
    path = _BODY_OF.get(kind) if isinstance(kind, str) else None
    if path is None:
        raise invalid(f"the body must be one of {', '.join(_BODY_OF)}", [Fault("/type", "is none of them")])
    inner = value
    for depth, name in enumerate(path):
        inner = inner.get(name) if isinstance(inner, dict) else None
        if inner is None:
            at = "/" + "/".join(path[: depth + 1])
            raise invalid(f"an {kind} has its events in /{'/'.join(path)}", [Fault(at, "is required")])
    pointer = "/" + "/".join(path)
    if not isinstance(inner, list):
        raise invalid(f"an {kind} has an array of events", [Fault(pointer, "must be an array")])
    faults = [*_context_faults(value), *_version_faults(value)]
    if faults:
        raise invalid(f"this is no {kind}", faults)
    return Opened(inner, pointer, _added(value["@context"]))


def given(event: Any, place: int, context: list[Any]) -> Given | list[Fault]:
    """An event of a document with what identifies it, or what is wrong with it."""
    faults = faults_of(event)
    if faults:
        return faults
    content = {name: value for name, value in event.items() if name not in ("@context", "recordTime")}
    declaration = content.get("errorDeclaration")
    return Given(
        place,
        event.get("eventID") or content_id(content),
        _sha256(content),
        None if declaration is None else moment_of(declaration["declarationTime"]),
        event,
        context,
    )


def alone(event: Any) -> Given | list[Fault]:
    """An event that stands in no document; its context is its own."""
    added = _added(event["@context"]) if isinstance(event, dict) and "@context" in event else []
    return given(event, 0, added)


def content_id(content: Mapping[str, Any]) -> str:
    """The id of an event that has none: a digest of what it says, by which it is recognised later.

    Not the hash of CBV 2.0 (section 8.9), which normalises values; hence a `ver` of its own.
    """
    said = {name: value for name, value in content.items() if name != "errorDeclaration"}
    return f"ni:///sha-256;{_sha256(said)}?ver=json-sorted"


def query_document(events: Iterable[tuple[Json, list[Any]]], *, created_at: datetime) -> Json:
    """An EPCISQueryDocument around events, each given with what its context adds.

    A prefix stands in the document's context as long as all events mean the same by it; an event that means
    something else carries its own context.
    """
    meanings: dict[str, Any] = {}
    others: list[Any] = []
    listed = []
    for event, context in events:
        mine = {name: meaning for part in context if isinstance(part, dict) for name, meaning in part.items()}
        if all(meanings.get(name, meaning) == meaning for name, meaning in mine.items()):
            meanings |= mine
            others += [part for part in context if not isinstance(part, dict) and part not in others]
            listed.append(event)
        else:
            listed.append({"@context": [CONTEXT, *context], **event})
    return {
        "@context": [CONTEXT, *others, *([meanings] if meanings else [])],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": created_at.isoformat(),
        "epcisBody": {
            "queryResults": {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": listed}}
        },
    }


def invalid(detail: str, faults: Iterable[Fault] = (), *, below: str = "") -> BadRequestError:
    """What the standard answers to a body that is not as it must be."""
    errors = [{"detail": fault.detail, "pointer": f"{below}{fault.pointer}" or "/"} for fault in faults]
    return BadRequestError(detail, type="epcisException:ValidationException", errors=errors)


def _context_faults(document: Mapping[str, Any]) -> list[Fault]:
    if "@context" not in document:
        return [Fault("/@context", "is required")]
    probe = {"@context": document["@context"]}
    return [fault for fault in faults_of({**_PROBE, **probe}) if fault.pointer.startswith("/@context")]


def _version_faults(document: Mapping[str, Any]) -> list[Fault]:
    version = document.get("schemaVersion", "2.0")
    if isinstance(version, str) and (version == "2" or version.startswith("2.")):
        return []
    return [Fault("/schemaVersion", "this service speaks version 2.0")]


# An event that is right, to look at a context with.
_PROBE = {
    "type": "ObjectEvent",
    "action": "OBSERVE",
    "eventTime": "2020-01-01T00:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "epcList": [],
}


def _added(context: Any) -> list[Any]:
    parts = context if isinstance(context, list) else [context]
    return [part for part in parts if part != CONTEXT]


def _sha256(value: Any) -> str:
    return hashlib.sha256(_encoder.encode(value)).hexdigest()
