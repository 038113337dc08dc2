"""Live updates of the public document: a process of its own that holds many quiet connections open.

`GET /api/v1/track/<number>/events` is a stream of Server-Sent Events: the document at once, again whenever it
has changed, and `end` when nothing more is to come. A worker of the web server answers one request at a time
and would be lost to an onlooker for as long as he looks; here a thousand of them cost a few megabytes. What
they look at is asked of the database once a second for all of them together, by the versions of the rows;
scans are recorded as if nobody looked.
"""

from __future__ import annotations

import flask

from app import i18n, logs
from app.config import Settings
from app.live.asgi import LiveUpdates
from app.security import headers
from app.shipments.documents import Documents, statements


def application() -> LiveUpdates:
    """What `granian --interface asgi --factory app.live:application` serves."""
    settings = Settings()  # type: ignore[call-arg]  # filled from the environment
    logs.configure(settings.log_level)
    words = flask.Flask("live")
    i18n.init_app(words)
    with words.app_context():
        documents = Documents(settings.database_url, statements())
    return LiveUpdates(
        documents, clients_max=settings.live_clients_max, allowed=headers(settings.live_url).items()
    )
