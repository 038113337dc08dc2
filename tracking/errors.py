"""Every error this engine raises.

    TrackingError
    |-- NumberError         a waybill, S10 or SSCC number cannot be made or read
    |-- ScanError           a scan, leg or container is not well formed
    |-- SummaryIncomplete   a summary cannot tell the state; fold all scans instead
    |-- InstructionError    an instruction cannot take a step from where it stands
    |-- PromiseError        a promise is asked for what is not a route
    `-- EpcisError          an EPCIS document is not one this engine wrote

What is strange about a parcel (late, impossible, doubled) is not an error: it is returned as a
`tracking.finding.Finding`.
"""


class TrackingError(Exception):
    """Root of the tree."""


class NumberError(TrackingError, ValueError):
    """A waybill, S10 or SSCC number cannot be made or read."""


class ScanError(TrackingError, ValueError):
    """A scan, leg or container is not well formed."""


class SummaryIncomplete(TrackingError):  # noqa: N818 - it names a condition, not a mistake
    """The summary has seen an error declaration; only a fold over all scans knows the state."""


class InstructionError(TrackingError):
    """An instruction cannot take a step from where it stands."""


class PromiseError(TrackingError, ValueError):
    """The legs or the position given do not form a route."""


class EpcisError(TrackingError, ValueError):
    """The EPCIS event cannot be read as a scan, or the scan cannot be written as an event."""
