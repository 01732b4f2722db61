"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# Timings are never asserted: a slow machine must not fail a property.
settings.register_profile("project", deadline=None)
settings.load_profile("project")
