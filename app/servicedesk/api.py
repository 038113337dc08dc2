"""The machine's door to the service desk: cases, the desk's steps on them, complaints by link."""

from app.servicedesk import api_cases, api_links, api_steps
from app.servicedesk.api_blueprint import blueprint

__all__ = ["api_cases", "api_links", "api_steps", "blueprint"]
