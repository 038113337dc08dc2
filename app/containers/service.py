"""What happens to containers: opened, packed, sealed, sent, received, counted, broken."""

from app.containers.opening import ContainerInput, dispatch, open_container, seal
from app.containers.packing import pack, unpack
from app.containers.receiving import break_up, check, count, receive
from app.containers.values import ROWS_MAX, Counts, Deed, RowResult, RowStatus

__all__ = [
    "ROWS_MAX",
    "ContainerInput",
    "Counts",
    "Deed",
    "RowResult",
    "RowStatus",
    "break_up",
    "check",
    "count",
    "dispatch",
    "open_container",
    "pack",
    "receive",
    "seal",
    "unpack",
]
