"""When a parcel will arrive: quantiles from its planned legs and from how such legs went before.

Method. The unknown is the lateness against the plan, in seconds. It is carried along the route as equally
likely scenarios (`tracking.lateness`):

* a parcel that is awaited comes to its first facility with a deviation of its own;
* on a leg, the lateness on arrival is the lateness on departure plus the leg's transit deviation;
* at a facility, what is late eats the planned waiting time first; what is left, plus the facility's dwell
  deviation, is the lateness on the next departure;
* after the last leg, the hand-over to the consignee takes its planned time plus its deviation. Where the rule
  of the rounds is given (`LastMile`), what arrives too late for a round is planned for the next.

The deviations are taken as independent. What is known already is conditioned on: a parcel that has not
departed by now does not depart earlier, one that has not arrived does not arrive before now. A missed
departure is not priced as the wait for the next one: such a route is planned anew.

What is expected of a leg is learned (`tracking.promise.learning`) as a product of factors, each of which
speaks of what the ones before leave unexplained: the mode, the length, the facility it leaves, the one it
goes to, the lane; the hour and the weekday, of the mode and of the lane. Each is drawn to 1, that is to its
parent, where observations are few, so that a new lane learns from its ends and a lane without a Friday of
its own from its other days. How such legs vary around that is kept as quantiles of lanes and their groups
(`shape`). Dwells and hand-overs are quantiles of facility and hour, of the facility, of all facilities.
Where nothing was ever observed a prior stands.
"""

from tracking.promise.arrival import WINDOW_S, Promise, promise, window, window_until
from tracking.promise.history import LegHistory, Reason
from tracking.promise.last_mile import LastMile
from tracking.promise.observed import LegObservation, StayObservation
from tracking.promise.quiet import Silence, heard_again_by, silence

__all__ = [
    "WINDOW_S",
    "LastMile",
    "LegHistory",
    "LegObservation",
    "Promise",
    "Reason",
    "Silence",
    "StayObservation",
    "heard_again_by",
    "promise",
    "silence",
    "window",
    "window_until",
]
