"""The WSGI entry: `granian --interface wsgi wsgi:application`."""

import gc

from app import logs
from app.config import Settings
from app.factory import create_app

_settings = Settings()  # type: ignore[call-arg]  # filled from the environment
logs.configure(_settings.log_level)
application = create_app(_settings)

# What stands now stands until the worker ends: the collector need not look at it again and again, nor as
# often as it would at the many small values of a batch of scans.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 50)
