"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Timings are never asserted: a slow machine must not fail a property.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
