"""A deliverer for the fault tests, in a process of its own that can be killed at any moment."""

from __future__ import annotations

import sys
import time
from datetime import timedelta

from app.clock import utcnow
from app.db.session import Database
from app.webhooks.client import Client
from app.webhooks.delivering import Deliverer

LEASE_S = 3


def main(url: str) -> None:
    deliverer = Deliverer(
        Database(url), utcnow, Client(allow_loopback=True), lease_for=timedelta(seconds=LEASE_S)
    )
    while True:
        if not deliverer.step():
            time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1])
