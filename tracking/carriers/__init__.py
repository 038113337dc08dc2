"""Numbers of other carriers: who gave this one out, and is its check digit right?"""

from tracking.carriers.formats import Format, carriers, formats
from tracking.carriers.recognition import NUMBER_LENGTH_MAX, Recognised, recognise

__all__ = ["NUMBER_LENGTH_MAX", "Format", "Recognised", "carriers", "formats", "recognise"]
