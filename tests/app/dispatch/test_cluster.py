"""Plans of large outlets on the Dask cluster that the settings name."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pydantic
import pytest
from structlog.testing import capture_logs

from app import config
from app.config import Settings
from app.dispatch import jobs, solver
from app.dispatch.solver import Wish
from routing.pickup import Plan, Problem, Progress, check
from tests.app.dispatch.conftest import Depot
from tests.routing.pickup.towns import town
from tests.support.dask_cluster import running_cluster

AWAY = "tcp://127.0.0.1:1"
# The child as it is, for whom a shorter run is worth a cluster.
CHILD = """
import sys
from app.dispatch import solver_process
from routing.pickup import crews
crews.CLUSTER_SECONDS_MIN = 1.0
sys.exit(solver_process.main(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]))
"""


def settings(**more: str) -> Settings:
    return Settings(database_url="postgresql://x@localhost/x", secret_key="x" * 32, **more)  # type: ignore[arg-type]


def planned(problem: Problem, cluster: str) -> tuple[Plan, list[Progress], list[str]]:
    """The plan, its curve, and what the log warns of."""
    curve: list[Progress] = []

    def tick(better: Sequence[Progress]) -> Wish:
        curve[:] = better
        return Wish.GO_ON

    with capture_logs() as logged:
        command = (sys.executable, "-c", CHILD)
        plan = solver.solve(problem, seconds=5, seed=1, tick=tick, cluster=cluster, command=command)
    return plan, curve, [str(line["warning"]) for line in logged if line["event"] == "plan.warning"]


def test_a_large_outlet_is_planned_on_the_cluster(tmp_path) -> None:
    problem = town(400, 40)
    with running_cluster(tmp_path) as cluster:
        plan, curve, warnings = planned(problem, cluster.address.scheduler)
        told = (tmp_path / "cluster.log").read_text()
    assert check(problem, plan) == ()
    assert curve[-1].cost_minor < curve[0].cost_minor
    assert warnings == []
    assert "wheelhouse" in told, "the scheduler has seen the planner"


def test_without_the_cluster_the_plan_is_made_here_and_the_log_says_so() -> None:
    problem = town(400, 40)
    plan, _, [warning] = planned(problem, AWAY)
    assert check(problem, plan) == ()
    assert AWAY in warning
    assert "planning on this machine" in warning


def test_the_plan_worker_uses_the_cluster_of_the_settings(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    real = solver.solve

    def solve(problem, **options):
        asked.append(options["cluster"])
        return real(problem, **options)

    monkeypatch.setattr(jobs.solver, "solve", solve)
    depot.hire(1)
    depot.book(2)
    depot.request()
    assert jobs.solve_next(depot.database, depot.clock, cluster=AWAY)
    assert asked == [AWAY]


def test_the_start_is_refused_where_dask_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(dask_scheduler=AWAY).dask_scheduler == AWAY
    monkeypatch.setattr(config.importlib.util, "find_spec", lambda name: None)
    assert settings().dask_scheduler is None
    with pytest.raises(pydantic.ValidationError, match=r"requirements-cluster\.txt"):
        settings(dask_scheduler=AWAY)


@pytest.mark.parametrize("address", ["", "127.0.0.1:8786", "http://127.0.0.1:8786"])
def test_an_address_that_is_none_stops_the_start(address: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="dask_scheduler"):
        settings(dask_scheduler=address)
