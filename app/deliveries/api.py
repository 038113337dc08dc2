"""The machine's door to the last door: its views hang on one blueprint."""

from app.deliveries import api_doors, api_instructions, api_links, api_phone, api_points
from app.deliveries.api_blueprint import blueprint

__all__ = ["api_doors", "api_instructions", "api_links", "api_phone", "api_points", "blueprint"]
