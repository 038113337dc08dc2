"""Plain tables of numbers: Solomon's form (also Gehring and Homberger's), and that of Li and Lim.

Li and Lim (2001), "A metaheuristic for the pickup and delivery problem with time windows".
"""

from routing.pickup.errors import ProblemError
from routing.pickup.formats.convention import Convention
from routing.pickup.formats.plane import Customer, Plane, Truck, problem_of
from routing.pickup.problem import Problem
from routing.pickup.stops import StopKind


def read_solomon(text: str, convention: Convention = Convention.TENTHS) -> Problem:
    """Read Solomon's text form: a name, vehicles and capacity, then the depot and its customers.

    Raises:
        ProblemError: it is not of that form.
    """
    rows = [row for row in (numbers(line) for line in text.splitlines()) if row]
    fleet = next((row for row in rows if len(row) == 2), None)
    customers = [row for row in rows if len(row) == 7]
    if fleet is None or len(customers) < 1:
        raise ProblemError("solomon: no line with vehicles and capacity, or none with seven numbers")
    read = [
        Customer(f"{row[0]:.0f}", row[1], row[2], int(row[3]), row[4], row[5], row[6]) for row in customers
    ]
    return problem_of(Plane(read, [0], [Truck(0, int(fleet[1]))] * int(fleet[0])), convention)


def read_li_lim(text: str, convention: Convention = Convention.THOUSANDTHS) -> Problem:
    """Read the text form of Li and Lim: vehicles, capacity and speed, then the depot and all tasks.

    A task is nine numbers: its own, its place, its demand, its window, its service, and the numbers of the
    task its goods come from and of the one they go to, of which one is zero.

    Raises:
        ProblemError: it is not of that form; the message names the line or task.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    rows = [numbers(line) for line in lines]
    if not rows or rows[0] is None or len(rows[0]) not in (2, 3):
        raise ProblemError("li-lim: the first line must hold vehicles, capacity and speed")
    wrong = next((number for number, row in enumerate(rows[1:], 2) if row is None or len(row) != 9), None)
    if wrong is not None:
        raise ProblemError(f"li-lim: line {wrong} must hold nine numbers, but is {lines[wrong - 1]!r}")
    tasks = [row for row in rows[1:] if row is not None]
    if not tasks:
        raise ProblemError("li-lim: there is no depot")
    read = [
        Customer(
            f"{row[0]:.0f}",
            row[1],
            row[2],
            abs(int(row[3])),
            row[4],
            row[5],
            row[6],
            StopKind.DELIVERY if row[3] < 0 or row[7] else StopKind.PICKUP,
        )
        for row in tasks
    ]
    goes_to = {row[0]: row[8] for row in tasks[1:]}
    for row in tasks[1:]:
        comes_from, target = row[7], row[8]
        if bool(comes_from) == bool(target):
            raise ProblemError(f"li-lim: task {row[0]:.0f} must have either a pickup or a delivery")
        if comes_from and goes_to.get(comes_from) != row[0]:
            raise ProblemError(f"li-lim: task {row[0]:.0f} comes from {comes_from:.0f}, which goes elsewhere")
    pairs = [(f"{row[0]:.0f}", f"{row[8]:.0f}") for row in tasks[1:] if row[8]]
    trucks = [Truck(0, int(rows[0][1]))] * int(rows[0][0])
    return problem_of(Plane(read, [0], trucks, pairs), convention)


def numbers(line: str) -> list[float] | None:
    """The numbers of a line; None if there is anything else in it."""
    try:
        return [float(word) for word in line.split()]
    except ValueError:
        return None
