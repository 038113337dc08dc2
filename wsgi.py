"""The WSGI entry: `granian --interface wsgi wsgi:application`."""

from app import logs
from app.config import Settings
from app.factory import create_app

_settings = Settings()  # type: ignore[call-arg]  # filled from the environment
logs.configure(_settings.log_level)
application = create_app(_settings)
