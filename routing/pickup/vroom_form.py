"""VROOM's problem document, field by field, with its defaults. What it has besides is refused by name."""

from typing import TypeAlias

import msgspec

Location: TypeAlias = tuple[float, float]
"""Longitude, latitude."""
FormWindows: TypeAlias = tuple[tuple[int, int], ...]
Amount: TypeAlias = tuple[int, ...]


class _Form(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    pass


class FormTask(_Form, frozen=True):
    """The pickup or the delivery of a shipment."""

    id: int
    description: str | None = None
    location: Location | None = None
    location_index: int | None = None
    setup: int = 0
    service: int = 0
    time_windows: FormWindows = ()


class FormJob(FormTask, frozen=True):
    """A stop of its own."""

    delivery: Amount = ()
    pickup: Amount = ()
    amount: Amount = ()
    skills: tuple[int, ...] = ()
    priority: int = 0


class FormShipment(_Form, frozen=True):
    """Goods collected at one place and handed over at another."""

    pickup: FormTask
    delivery: FormTask
    amount: Amount = ()
    skills: tuple[int, ...] = ()
    priority: int = 0


class FormBreak(_Form, frozen=True):
    """A rest of a vehicle."""

    id: int
    time_windows: FormWindows = ()
    service: int = 0
    description: str | None = None
    max_load: Amount | None = None


class FormCosts(_Form, frozen=True):
    """What a vehicle costs; an hour on the road is 3,600 unless it says otherwise."""

    fixed: int = 0
    per_hour: int = 3600
    per_task_hour: int = 0
    per_km: int = 0


class FormStep(_Form, frozen=True):
    """A step of a round that is given, and when it must begin."""

    type: str
    id: int | None = None
    service_at: int | None = None
    service_after: int | None = None
    service_before: int | None = None


class FormVehicle(_Form, frozen=True):
    """A vehicle."""

    id: int
    profile: str = "car"
    description: str | None = None
    start: Location | None = None
    start_index: int | None = None
    end: Location | None = None
    end_index: int | None = None
    capacity: Amount = ()
    costs: FormCosts = FormCosts()
    skills: tuple[int, ...] = ()
    time_window: tuple[int, int] | None = None
    breaks: tuple[FormBreak, ...] = ()
    speed_factor: float = 1.0
    max_tasks: int | None = None
    max_travel_time: int | None = None
    max_distance: int | None = None
    steps: tuple[FormStep, ...] = ()


class FormMatrix(_Form, frozen=True):
    """Ways between all places, by row and column."""

    durations: list[list[int]]
    distances: list[list[int]] | None = None
    costs: list[list[int]] | None = None


class FormOptions(_Form, frozen=True):
    """What VROOM's server takes in the document: plan mode (`c`) and the limit in seconds (`l`).

    Geometry (`g`), exploration (`x`) and threads (`t`) have no counterpart here and change nothing.
    """

    c: bool = False
    l: float | None = None  # noqa: E741 - the name is VROOM's
    g: bool = False
    x: int | None = None
    t: int | None = None


class FormDocument(_Form, frozen=True):
    """The whole problem."""

    vehicles: tuple[FormVehicle, ...]
    jobs: tuple[FormJob, ...] = ()
    shipments: tuple[FormShipment, ...] = ()
    matrices: dict[str, FormMatrix] = {}
    options: FormOptions = FormOptions()
