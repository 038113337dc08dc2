"""The machine's door to the containers."""

from app.containers import api_containers, api_labels
from app.containers.api_blueprint import blueprint

__all__ = ["api_containers", "api_labels", "blueprint"]
