"""What the pickup planner raises.

```text
PickupError
├── ProblemError         a stop, a vehicle or the travel data is not valid; the message names it
│                        (also a ValueError)
├── UnknownNameError     a plan or a call names a stop or a vehicle which the problem does not have
│                        (also a LookupError)
├── ChangeRefusedError   a change of a running plan would break a rule; `reason` and `parameters` say which
└── ClusterError         a Dask cluster is asked for in a way that can never work; the message says what to do
    └── ClusterAwayError the cluster does not answer; caught where processes of this machine can stand in
```

A stop that cannot be served is not an error: the plan lists it with its reason (`plan.Unserved`).
A plan that breaks a rule is a finding of `checker.check`; one made by `solve` is a bug and fails an
assertion.
"""

from collections.abc import Mapping


class PickupError(Exception):
    """Base of everything the pickup planner raises on purpose."""


class ProblemError(PickupError, ValueError):
    """The problem is not valid. The message starts with what is wrong with which stop or vehicle."""


class UnknownNameError(PickupError, LookupError):
    """A plan or a call names a stop or a vehicle which is not in the problem."""


class ChangeRefusedError(PickupError):
    """A change of a running plan would break a rule.

    Attributes:
        reason: a code that can be translated, the same codes as in `plan.ReasonCode`, or `frozen`.
        parameters: what belongs into the translated sentence.
    """

    def __init__(self, reason: str, parameters: Mapping[str, object]) -> None:
        super().__init__(f"{reason}: {dict(parameters)}")
        self.reason = reason
        self.parameters = dict(parameters)


class ClusterError(PickupError):
    """A Dask cluster is asked for with what is no address, or without Dask being installed."""


class ClusterAwayError(ClusterError):
    """The cluster cannot be reached, or not any more."""
