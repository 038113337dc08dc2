"""VROOM's own address: a document that is posted to `/`, as its express wrapper takes it.

Clients of VROOM know a host and a port, and post there. Only a JSON body that is posted to the root itself is
meant: the home page is asked for by GET, and no form is sent to it. What is passed on is a request to the
machine's door like any other, with its token and its limits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

_DOOR = "/api/v1/vroom"


class VroomAlias:
    """Passes every request on, and a document posted to `/` to the door of VROOM's documents.

    Args:
        inner: the application.
    """

    def __init__(self, inner: WSGIApplication) -> None:
        self._inner = inner

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = environ
        kind = request.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        at_root = request.get("PATH_INFO", "") in ("", "/")
        if at_root and request["REQUEST_METHOD"] == "POST" and kind == "application/json":
            request = {**request, "PATH_INFO": _DOOR}
        return self._inner(request, start_response)
