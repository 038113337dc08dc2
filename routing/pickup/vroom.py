"""VROOM's JSON in: a problem in the form that VROOM's users have, as one of ours.

Field names, units and defaults are those of VROOM's API description (version 1.14): seconds, metres, places
as [longitude, latitude], amounts as arrays. Without `matrices` the ways are straight lines times a detour
factor at the speed of a car outside the centre: this planner asks no routing server of its own accord.

Two fields are refused rather than read wrongly: `matrices.*.costs`, and `max_load` of a break.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from routing.pickup.errors import ProblemError
from routing.pickup.matrix import Point, StraightLine, Travel
from routing.pickup.problem import HORIZON_S, Break, Pair, Problem, Stop, StopKind, Vehicle
from routing.pickup.values import AMOUNT_MAX
from routing.pickup.vroom_form import FormBreak, FormDocument, FormJob, FormTask, FormVehicle
from routing.pickup.vroom_matrices import FOR_EVER, places_of, table_of

_DEFAULT_PROFILE = "car"
_LEAD_S = 1_000_000
_SPEED_M_PER_H = 60_000


@dataclass(frozen=True, slots=True)
class Source:
    """What a stop was in the document: `type` is job, pickup or delivery."""

    type: str
    id: int
    description: str | None
    place: Mapping[str, Any]
    job: FormJob | FormTask
    amounts: tuple[tuple[int, ...], tuple[int, ...]]
    """Delivered and collected."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A document as a problem, and what is needed to write its answer.

    Attributes:
        problem: ours.
        document: theirs.
        origin_s: their moment that is our second zero.
        measures: how many numbers their amounts have.
        sources: by stop id.
        vehicles: by vehicle id.
        has_distances: whether the answer tells metres.
    """

    problem: Problem
    document: FormDocument
    origin_s: int
    measures: int
    sources: Mapping[str, Source]
    vehicles: Mapping[str, FormVehicle] = field(repr=False)
    has_distances: bool


def is_vroom(whole: Mapping[str, Any]) -> bool:
    """Tell whether a JSON object is a VROOM problem: vehicles with jobs or shipments."""
    return "vehicles" in whole and ("jobs" in whole or "shipments" in whole) and "stops" not in whole


def read(whole: Mapping[str, Any]) -> Translation:
    """A VROOM document as a problem.

    Raises:
        ProblemError: a field is unknown, missing, or has no sense.
    """
    try:
        document = msgspec.convert(whole, FormDocument)
    except msgspec.ValidationError as error:
        raise ProblemError(f"document: {error}") from error
    return _Reader(document).translation()


class _Reader:
    def __init__(self, document: FormDocument) -> None:
        self.document = document
        self.measures = _measures(document)
        self.origin_s = _origin(document)
        self.on_table = bool(document.matrices)
        self.places = places_of(document) if self.on_table else []
        self.sources: dict[str, Source] = {}

    def translation(self) -> Translation:
        document = self.document
        profiles = self._profiles()
        stops = [self._job(job) for job in document.jobs]
        pairs = []
        for number, shipment in enumerate(document.shipments):
            amount = self._amount(f"shipments[{number}]", shipment.amount)
            ends = [
                self._stop(
                    kind.value,
                    task,
                    kind,
                    amount,
                    (),
                    shipment.skills,
                    shipment.priority,
                )
                for kind, task in (
                    (StopKind.PICKUP, shipment.pickup),
                    (StopKind.DELIVERY, shipment.delivery),
                )
            ]
            stops += ends
            pairs.append(Pair(ends[0].stop_id, ends[1].stop_id))
        vehicles = tuple(self._vehicle(vehicle) for vehicle in document.vehicles)
        problem = Problem(
            stops=tuple(stops),
            vehicles=vehicles,
            travel=next(iter(profiles.values()), StraightLine(speed_m_per_h=_SPEED_M_PER_H)),
            pairs=tuple(pairs),
            more_measures=tuple(f"amount {number + 1}" for number in range(self.measures)),
            profiles=profiles,
        )
        by_id = {str(vehicle.id): vehicle for vehicle in document.vehicles}
        has_distances = not self.on_table or all(form.distances for form in document.matrices.values())
        return Translation(
            problem, document, self.origin_s, self.measures, self.sources, by_id, has_distances
        )

    def _job(self, job: FormJob) -> Stop:
        subject = f"job {job.id}"
        delivery = self._amount(subject, job.delivery or job.amount)
        pickup = self._amount(subject, job.pickup)
        if any(delivery) or not any(pickup):
            collects = (0, 0, 0, *pickup) if any(pickup) else ()
            return self._stop("job", job, StopKind.DELIVERY, delivery, collects, job.skills, job.priority)
        return self._stop("job", job, StopKind.PICKUP, pickup, (), job.skills, job.priority)

    def _stop(
        self,
        type_: str,
        task: FormJob | FormTask,
        kind: StopKind,
        amount: tuple[int, ...],
        collects: tuple[int, ...],
        skills: tuple[int, ...],
        priority: int,
    ) -> Stop:
        stop_id = f"{type_} {task.id}"
        latitude, longitude = self._point(stop_id, task.location, task.location_index)
        place = {
            name: value
            for name, value in (("location", task.location), ("location_index", task.location_index))
            if value is not None
        }
        nothing = (0,) * self.measures
        amounts = (amount, collects[3:] or nothing) if kind is StopKind.DELIVERY else (nothing, amount)
        self.sources[stop_id] = Source(type_, task.id, task.description, place, task, amounts)
        return Stop(
            stop_id,
            latitude,
            longitude,
            service_s=task.service,
            setup_s=task.setup,
            windows=self._windows(task.time_windows),
            kind=kind,
            priority=priority,
            skills=frozenset(str(skill) for skill in skills),
            more_amounts=amount,
            collects=collects,
        )

    def _vehicle(self, form: FormVehicle) -> Vehicle:
        subject = f"vehicle {form.id}"
        ends = [
            None if place is None and index is None else self._point(subject, place, index)
            for place, index in ((form.start, form.start_index), (form.end, form.end_index))
        ]
        window = form.time_window
        shift = (0, HORIZON_S) if window is None else self._windows((window,))[0]
        capacity = self._amount(subject, form.capacity) if form.capacity else (AMOUNT_MAX,) * self.measures
        return Vehicle(
            str(form.id),
            start=ends[0],
            end=ends[1],
            shift=shift,
            capacity_g=0,
            capacity_cm3=0,
            capacity_pieces=0,
            more_capacity=capacity,
            skills=frozenset(str(skill) for skill in form.skills),
            speed_factor=form.speed_factor,
            cost_fixed=form.costs.fixed,
            cost_per_driving_hour=form.costs.per_hour,
            cost_per_service_hour=form.costs.per_task_hour,
            cost_per_km=form.costs.per_km,
            stops_max=form.max_tasks,
            driving_s_max=form.max_travel_time,
            distance_m_max=form.max_distance,
            breaks=tuple(self._break(subject, rest) for rest in form.breaks),
            profile=form.profile if self.on_table else None,
        )

    def _break(self, subject: str, form: FormBreak) -> Break:
        if form.max_load is not None:
            raise ProblemError(f"{subject}, break {form.id}: max_load is not supported")
        windows = self._windows(form.time_windows) or ((0, HORIZON_S),)
        return Break(str(form.id), windows, form.service)

    def _point(self, subject: str, location: tuple[float, float] | None, index: int | None) -> Point:
        if self.on_table:
            if index is None:
                raise ProblemError(f"{subject}: with matrices it needs a location_index")
            if not 0 <= index < len(self.places):
                raise ProblemError(f"{subject}: location_index {index} is not in the matrices")
            return self.places[index]
        if location is None:
            raise ProblemError(f"{subject}: it needs a location ([longitude, latitude]) or matrices")
        return location[1], location[0]

    def _profiles(self) -> dict[str, Travel]:
        named = dict.fromkeys(vehicle.profile for vehicle in self.document.vehicles)
        if not self.on_table:
            return {}
        found: dict[str, Travel] = {}
        for name in named or {_DEFAULT_PROFILE: None}:
            form = self.document.matrices.get(name)
            if form is None and named:
                raise ProblemError(f"matrices: there is none for profile {name!r}")
            if form is not None:
                found[name] = table_of(name, form, tuple(self.places))
        return found

    def _amount(self, subject: str, amount: tuple[int, ...]) -> tuple[int, ...]:
        if amount and len(amount) != self.measures:
            raise ProblemError(f"{subject}: amounts must have {self.measures} numbers, not {len(amount)}")
        return amount or (0,) * self.measures

    def _windows(self, windows: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        return tuple(
            (max(0, min(opens - self.origin_s, HORIZON_S)), max(0, min(closes - self.origin_s, HORIZON_S)))
            for opens, closes in windows
        )


def _measures(document: FormDocument) -> int:
    """How many numbers the amounts have: the first that are given say it."""
    amounts = [vehicle.capacity for vehicle in document.vehicles]
    amounts += [amount for job in document.jobs for amount in (job.delivery, job.pickup, job.amount)]
    amounts += [shipment.amount for shipment in document.shipments]
    return next((len(amount) for amount in amounts if amount), 0)


def _origin(document: FormDocument) -> int:
    """Moments of the calendar are counted from some days before the first of them."""
    windows = [vehicle.time_window for vehicle in document.vehicles if vehicle.time_window is not None]
    for vehicle in document.vehicles:
        windows += [window for rest in vehicle.breaks for window in rest.time_windows]
    tasks: list[FormJob | FormTask] = [*document.jobs]
    for shipment in document.shipments:
        tasks += [shipment.pickup, shipment.delivery]
    windows += [window for task in tasks for window in task.time_windows]
    first = min((opens for opens, _ in windows if opens > 0), default=0)
    last = max((closes for _, closes in windows if closes < FOR_EVER), default=0)
    if last <= HORIZON_S:
        return 0
    origin = max(0, first - _LEAD_S)
    if last - origin > HORIZON_S:
        raise ProblemError(f"document: the time windows span more than {HORIZON_S - _LEAD_S} seconds")
    return origin
