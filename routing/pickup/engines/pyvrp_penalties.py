"""Where the penalties of a search begin, and how far they may go."""

import numpy as np
from pyvrp import PenaltyParams

from routing.pickup.engines.pyvrp_model import Model
from routing.pickup.matrix import UNREACHABLE

_PENALTY_START = 20.0  # for a second too late, in costs of a second on the way
_LOAD_PENALTY_START = 2.0  # for an average load too much, in costs of an average leg
_PENALTY_MOST, _PENALTY_LEAST = 5_000.0, 0.005  # in starts
_UPDATE_EVERY = 100
_CAREFUL_UPDATE_EVERY = 500


def starting(model: Model, *, careful: bool) -> tuple[tuple[list[float], float, float], PenaltyParams]:
    """Where penalties begin, and how far they may go: by the cost of an average leg."""
    data = model.data
    metres, seconds = model.instance.metres, model.instance.seconds[0]
    real = (metres < UNREACHABLE) & (seconds < UNREACHABLE)
    count = max(1, int(real.sum()))
    # Where legs have prices, these stand for metres.
    leg_m = (data.distance_matrix(0) if model.priced else metres)[real].sum() / count
    leg_s = seconds[real].sum() / count
    kinds = data.vehicle_types()
    leg_cost = max(
        1.0,
        min(kind.unit_distance_cost * leg_m + kind.unit_duration_cost * leg_s for kind in kinds),
    )
    late = _PENALTY_START * leg_cost / max(1.0, leg_s)
    far = _PENALTY_START * leg_cost / max(1.0, leg_m)
    carried = [np.add(client.pickup, client.delivery) for client in data.clients()]
    amounts = np.array(carried + [shipment.amount for shipment in data.shipments()], dtype=float)
    loads = [
        _LOAD_PENALTY_START * leg_cost / max(1.0, float(amounts[:, measure].mean()))
        for measure in range(data.num_load_dimensions)
    ]
    starts = [late, far, *loads]
    parameters = PenaltyParams(
        solutions_between_updates=_CAREFUL_UPDATE_EVERY if careful else _UPDATE_EVERY,
        min_penalty=min(starts) * _PENALTY_LEAST,
        max_penalty=max(starts) * _PENALTY_MOST,
    )
    return (parameters.midpoint_penalties(data) if careful else (loads, late, far)), parameters
