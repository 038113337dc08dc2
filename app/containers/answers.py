"""Containers as the machine's door answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from app.containers import queries
from app.containers.queries import Comparison, Listed
from app.containers.values import Counts, RowResult
from app.shipments.container_models import Container

_FIELDS = (
    "number", "kind", "status", "from_facility_id", "to_facility_id", "lane_id", "departs_at", "vehicle",
    "seal_number", "opened_at", "sealed_at", "dispatched_at", "received_at", "received_facility_id",
    "counted_at", "broken_at",
)  # fmt: skip


def containers_answer(session: Session, rows: Sequence[Container]) -> list[dict[str, Any]]:
    """Containers with their figures."""
    figures = queries.counts(session, [row.id for row in rows])
    return [_answer(row, figures[row.id]) for row in rows]


def container_answer(session: Session, container: Container) -> dict[str, Any]:
    """One container with its figures."""
    (answer,) = containers_answer(session, [container])
    return answer


def comparison_answer(compared: Comparison) -> dict[str, Any]:
    """Expected against scanned."""
    counts = compared.counts
    return {
        "expected": counts.expected,
        "matched": counts.matched,
        "missing": compared.missing,
        "surplus": compared.surplus,
    }


def rows_answer(rows: Sequence[RowResult]) -> list[dict[str, Any]]:
    """One result a thing."""
    found: list[dict[str, Any]] = msgspec.to_builtins(rows)
    return found


def item_answer(one: Listed) -> dict[str, Any]:
    """One thing on a list."""
    names = ("number", "is_container", "surplus", "missing")
    moments = ("packed_at", "checked_at", "released_at")
    return {name: getattr(one, name) for name in names} | {
        name: _moment(getattr(one, name)) for name in moments
    }


def _answer(row: Container, counts: Counts) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _FIELDS}
    told = {name: _moment(value) if name.endswith("_at") else value for name, value in values.items()}
    return told | {
        "expected": counts.expected,
        "matched": counts.matched,
        "missing": counts.missing,
        "surplus": counts.surplus,
    }


def _moment(value: Any) -> str | None:
    return None if value is None else value.isoformat()
