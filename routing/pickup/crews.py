"""Who works on an instance: processes of this machine, or a Dask cluster's workers."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

from routing.pickup.cluster import Cluster
from routing.pickup.cluster_crew import ClusterCrew
from routing.pickup.errors import ClusterAwayError
from routing.pickup.instance import Instance
from routing.pickup.workers import Crew, Processes, available

CLUSTER_STOPS_MIN = 250
"""Smaller problems are searched as a whole, for which the cores of one machine do."""
CLUSTER_SECONDS_MIN = 4.0
"""In less, handing the instance out takes more than the cluster gives back."""

log = logging.getLogger(__name__)

Hire: TypeAlias = Callable[[Instance], AbstractContextManager[Crew]]
"""Makes a crew for an instance."""


@contextmanager
def crew(
    instance: Instance,
    workers: int | None,
    seed: int,
    cluster: Cluster | None = None,
    seconds: float = 0.0,
) -> Iterator[Crew]:
    """Workers on one instance, who are gone at the end of the block.

    Args:
        instance: what they work on.
        workers: how many, at most; None: a process for each core, or what the cluster has.
        seed: of everything drawn at random.
        cluster: whose workers to use; where it does not answer, processes of this machine stand in, and a
            warning is logged.
        seconds: limit of the run.
    """
    members = None
    if cluster is not None and len(instance.stops) > CLUSTER_STOPS_MIN and seconds >= CLUSTER_SECONDS_MIN:
        try:
            members = ClusterCrew(instance, workers, seed, cluster, seconds)
        except ClusterAwayError as error:
            log.warning(
                "the Dask cluster at %s cannot be used (%s): planning on this machine",
                cluster.scheduler,
                error,
            )
    hired = members or Processes(instance, workers or available(), seed)
    try:
        yield hired
    finally:
        hired.close()
