"""Exception -> HTTP status and code, decided here and nowhere else (RFC 9457).

    AppError
    ├── NotFoundError            404  also for what the asker may not know of
    ├── UnauthenticatedError     401
    ├── ForbiddenError           403
    ├── InvalidInputError        422  carries one entry per wrong field
    ├── ConflictError            409  the state does not allow it
    │   └── StaleVersionError    409  somebody else saved first; carries what differs
    ├── TooManyTriesError        429  carries the seconds to wait
    └── BadRequestError          400

Errors of the engines are listed in `ENGINE_STATUSES`; an exception that is neither is a bug: it is
logged with its request id and answered with 500. `app.problems` renders what is decided here.
"""

from __future__ import annotations

from typing import Any

from routing.network.errors import NetworkError
from routing.pickup.errors import PickupError
from settlement.errors import SettlementError
from tracking.errors import TrackingError


class AppError(Exception):
    """An operating error that a caller can understand and act on."""

    status = 500
    code = "error"
    title = "Error"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class NotFoundError(AppError):
    """There is no such thing, or none that the asker may know of."""

    status, code, title = 404, "not-found", "Not found"


class UnauthenticatedError(AppError):
    """Nobody is signed in, or the token is not valid."""

    status, code, title = 401, "unauthenticated", "Sign in first"


class ForbiddenError(AppError):
    """The role or the token's scopes do not cover it."""

    status, code, title = 403, "forbidden", "Not allowed"


class BadRequestError(AppError):
    """The request cannot be read."""

    status, code, title = 400, "bad-request", "Bad request"


class InvalidInputError(AppError):
    """Some fields are wrong; `errors` holds `{detail, pointer}` for each (JSON pointer)."""

    status, code, title = 422, "invalid-input", "Invalid input"

    def __init__(self, detail: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(detail, errors=errors or [])


class ConflictError(AppError):
    """The present state does not allow it."""

    status, code, title = 409, "conflict", "Conflict"


class StaleVersionError(ConflictError):
    """Somebody else saved first."""

    code, title = "stale-version", "Changed by somebody else"


class TooManyTriesError(AppError):
    """Too many tries; wait `retry_after_s`."""

    status, code, title = 429, "too-many-tries", "Too many tries"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


# An engine refuses what it is given: the caller's input is at fault.
ENGINE_STATUSES: tuple[tuple[type[Exception], int, str], ...] = (
    (TrackingError, 422, "tracking"),
    (NetworkError, 422, "network"),
    (PickupError, 422, "pickup"),
    (SettlementError, 422, "settlement"),
)
