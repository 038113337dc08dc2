"""Hypothesis in this room judges outcomes, not the speed of a machine that others use too."""

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
