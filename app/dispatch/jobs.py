"""The plan worker: takes one requested plan at a time; any number of workers may run.

A worker that dies leaves its plan in `solving` without a sign of life, and another takes it after a while;
after `TRIES_MAX` such ends the plan has failed. A worker that was only slow finds that the plan is no longer
his, and drops his result.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from app.clock import Clock
from app.db.session import Database
from app.dispatch import solver
from app.dispatch.leaving import take_out_gone
from app.dispatch.models import Plan, PlanStatus
from app.dispatch.problem import EVEN_COST_PER_HOUR_MINOR, problem_to_solve
from app.dispatch.stored import store
from routing import pickup
from routing.pickup import PickupError

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
"""A plan whose worker has given no sign of life for so long is taken by another."""
TRIES_MAX = 3
CURVE_POINTS_MAX = 200


def solve_next(database: Database, clock: Clock, *, cluster: str | None = None) -> bool:
    """Make one requested plan, if there is one; True when there was.

    Args:
        database: where plans are requested.
        clock: tells the present moment.
        cluster: scheduler of a Dask cluster, on which large plans are searched.
    """
    claimed = _claim(database, clock())
    if claimed is None:
        return False
    tenant_id, plan_id, tries = claimed
    log.info("plan.solving", plan_id=plan_id, tries=tries)
    try:
        plan = _solve(database, clock, tenant_id, plan_id, tries, cluster=cluster)
    except (PickupError, solver.SolverFailedError) as error:
        _end(database, tenant_id, plan_id, tries, failed=str(error))
        log.warning("plan.failed", plan_id=plan_id, error=str(error))
    except solver.GivenUpError:
        log.info("plan.given_up", plan_id=plan_id)
    else:
        _write(database, clock, tenant_id, plan_id, tries, plan)
    return True


def _claim(database: Database, now: datetime) -> tuple[int, int, int] | None:
    """Take the plan that waits longest: tenant, plan, and which try this is."""
    with database.unit_of_work(None) as session:
        abandoned = sa.and_(Plan.status == PlanStatus.SOLVING, Plan.seen_at < now - LEASE)
        plan = session.scalar(
            sa.select(Plan)
            .where(sa.or_(Plan.status == PlanStatus.REQUESTED, abandoned))
            .order_by(Plan.requested_at, Plan.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if plan is None:
            return None
        if plan.tries >= TRIES_MAX:
            plan.status = PlanStatus.FAILED
            plan.error = f"the planner's process died {plan.tries} times"
            return None
        plan.status = PlanStatus.SOLVING
        plan.tries += 1
        plan.solving_since = plan.seen_at = now
        plan.best_cost_minor = plan.best_unserved = None
        plan.curve = []
        return plan.tenant_id, plan.id, plan.tries


def _solve(
    database: Database,
    clock: Clock,
    tenant_id: int,
    plan_id: int,
    tries: int,
    *,
    cluster: str | None = None,
) -> pickup.Plan:
    with database.unit_of_work(tenant_id) as session:
        row = session.get_one(Plan, plan_id)
        problem = problem_to_solve(session, row, now=clock())
        seconds, seed, even = row.seconds, row.seed, row.even

    def tick(curve: Sequence[pickup.Progress]) -> solver.Wish:
        values: dict[str, object] = {}
        if curve:
            values = {"best_cost_minor": curve[-1].cost_minor, "best_unserved": curve[-1].unserved}
            values["curve"] = _points(curve)
        with database.unit_of_work(tenant_id) as session:
            # A statement of its own, so that a sign of life is no change of the plan's version.
            enough = session.scalar(
                sa.update(Plan)
                .where(Plan.id == plan_id, Plan.status == PlanStatus.SOLVING, Plan.tries == tries)
                .values(seen_at=clock(), **values)
                .returning(Plan.enough)
                .execution_options(synchronize_session=False)
            )
        if enough is None:
            return solver.Wish.GIVE_UP
        return solver.Wish.ENOUGH if enough else solver.Wish.GO_ON

    price = EVEN_COST_PER_HOUR_MINOR if even else 0
    return solver.solve(
        problem, seconds=seconds, seed=seed, even_cost_per_hour=price, tick=tick, cluster=cluster
    )


def _points(curve: Sequence[pickup.Progress]) -> list[list[float]]:
    """The curve as it is kept: at most so many points, always with the first and the last."""
    step = -(-len(curve) // CURVE_POINTS_MAX)
    kept = [*curve[:-1:step], curve[-1]]
    return [[round(one.seconds, 2), one.cost_minor, one.unserved] for one in kept]


def _write(
    database: Database, clock: Clock, tenant_id: int, plan_id: int, tries: int, value: pickup.Plan
) -> None:
    with database.unit_of_work(tenant_id) as session:
        plan = session.scalar(_mine(plan_id, tries))
        if plan is None:
            log.warning("plan.no_longer_mine", plan_id=plan_id)
            return
        store(plan, value)
        plan.status, plan.solved_at = PlanStatus.DRAFT, clock()
        take_out_gone(session, plan, now=clock())  # what was taken back while it was being made
    log.info("plan.draft", plan_id=plan_id, unserved=len(value.unserved), seconds=value.seconds)


def _end(database: Database, tenant_id: int, plan_id: int, tries: int, *, failed: str) -> None:
    with database.unit_of_work(tenant_id) as session:
        plan = session.scalar(_mine(plan_id, tries))
        if plan is not None:
            plan.status, plan.error = PlanStatus.FAILED, failed


def _mine(plan_id: int, tries: int) -> sa.Select[Plan]:
    return (
        sa.select(Plan)
        .where(Plan.id == plan_id, Plan.status == PlanStatus.SOLVING, Plan.tries == tries)
        .with_for_update()
    )
