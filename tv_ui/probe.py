"""Whether the API does its job: ``python -m tv_ui.probe PORT``; the healthcheck of its container."""

from __future__ import annotations

import sys

from vv_core.http_probe import main, probe

__all__ = ["main", "probe"]

if __name__ == "__main__":
    sys.exit(main())
