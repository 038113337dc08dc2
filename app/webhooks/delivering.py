"""The deliverer: several threads that each serve one endpoint at a time.

No transaction is open while a receiver is waited for: what is due is read in one, each try is written down in
another.
"""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import structlog

from app.clock import Clock
from app.db.session import Database
from app.webhooks import queue
from app.webhooks.client import DeliveryError, Poster
from app.webhooks.queue import Lease, Load, Outcome, Outgoing
from app.webhooks.signing import signed_headers

log = structlog.get_logger(__name__)

THREADS = 16
LEASE = timedelta(minutes=1)
"""How long after its last sign of life a deliverer's endpoints are another's; above the longest try."""
# Messages for one endpoint before the others have their turn.
_IN_A_ROW = 20
_USER_AGENT = "Wheelhouse-Webhooks/1"


class Deliverer:
    """Delivers what is due, in any number of processes at once.

    Args:
        database: Where the queue is.
        clock: The present.
        poster: The way out.
        threads: Endpoints served at a time.
        lease_for: After so long without a sign of life an endpoint is another deliverer's.
        chance: Where the jitter of waits comes from.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        poster: Poster,
        *,
        threads: int = THREADS,
        lease_for: timedelta = LEASE,
        chance: random.Random | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._poster = poster
        self._lease_for = lease_for
        self._chance = chance or random.Random()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="webhook")
        self._threads = self._free = threads
        self._changed = threading.Condition()
        self._closing = False

    def step(self, *, patience_s: float = 0.1) -> bool:
        """Start serving endpoints that have something due, as many as threads are free.

        It waits a moment for a few threads to be free together, because asking costs the same for one as for
        many.

        Returns:
            Whether to come again at once: something was found, or every thread is still busy.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._free * 4 >= self._threads, timeout=patience_s)
            slots = self._free
        if slots == 0:
            return True
        with self._database.unit_of_work(None) as session:
            leases = queue.claim(session, self._clock(), slots=slots, lease_for=self._lease_for)
        for lease in leases:
            with self._changed:
                self._free -= 1
            self._pool.submit(self._serve, lease)
        return bool(leases)

    @property
    def busy(self) -> int:
        """How many endpoints are being served now."""
        with self._changed:
            return self._threads - self._free

    def close(self) -> None:
        """End: what is being sent is finished, what comes after is left to others."""
        self._closing = True
        self._pool.shutdown(wait=True)

    def _serve(self, lease: Lease) -> None:
        try:
            self._deliver_some(lease)
        except Exception:
            # The lease stays, so that the endpoint rests until it ends; then its messages are sent again.
            log.exception("webhook.broken", endpoint_id=lease.endpoint_id)
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _deliver_some(self, lease: Lease) -> None:
        with self._database.unit_of_work(lease.tenant_id) as session:
            load = queue.load(session, lease, self._clock(), limit=_IN_A_ROW)
        for outgoing in load.messages:
            if self._closing:
                break
            outcome = self._try(load, outgoing)
            with self._database.unit_of_work(lease.tenant_id) as session:
                goes_on = queue.record(
                    session,
                    lease,
                    outgoing,
                    outcome,
                    self._clock(),
                    lease_for=self._lease_for,
                    chance=self._chance,
                )
            if not goes_on:
                break
        with self._database.unit_of_work(lease.tenant_id) as session:
            queue.release(session, lease)

    def _try(self, load: Load, outgoing: Outgoing) -> Outcome:
        at = self._clock()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            **signed_headers(load.keys, outgoing.message_key, at, outgoing.body),
        }
        begun = time.monotonic()
        try:
            answer = self._poster.post(load.url, headers, outgoing.body)
        except DeliveryError as error:
            return Outcome(at, _ms_since(begun), failure=error.failure, detail=error.detail)
        return Outcome(at, _ms_since(begun), status=answer.status, retry_after_s=answer.retry_after_s)


def _ms_since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
