"""Lets ``python3 scripts/X.py`` work from cron and by hand, whatever Python and folder it starts in."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


def use_project_environment() -> None:
    """Take settings from the project's folder, and run in its virtual environment where needed.

    Ends with EX_CONFIG and advice when the project is not installed.
    """
    os.environ.setdefault("VV_HOME", str(_ROOT))
    if importlib.util.find_spec("vv_core") is not None:
        return
    python = _ROOT / ".venv" / "bin" / "python"
    if not python.exists() or Path(sys.prefix) == _ROOT / ".venv":
        print(
            f"{Path(sys.argv[0]).name}: the project is not installed\n"
            f"→ Run: python3 {_ROOT / 'bootstrap.py'}",
            file=sys.stderr,
        )
        sys.exit(78)
    os.execv(python, [str(python), *sys.argv])  # noqa: S606 - our own interpreter, same arguments
