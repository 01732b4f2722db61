"""A box whose monitor acts on its own diagnosis, with the product's real commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.monitor.boxes import MovedClock, TableEngine, make_monitor
from vv_core.clock import format_utc
from vv_core.monitor.command import look_document
from vv_core.monitor.diagnose import PROPOSALS_FILE, diagnose_once
from vv_core.monitor.look import Monitor, look
from vv_core.monitor.proposal import Proposal
from vv_core.settings import Settings, load_settings

HOUR_S = 3601.0


@dataclass
class ActingBox:
    """A box in a folder that `VV_HOME` names.

    Attributes:
        clock: the monitor's; starts now.
        engine: what the monitor thinks runs in containers.
    """

    home: Path
    clock: MovedClock = field(default_factory=lambda: MovedClock(datetime.now(UTC).timestamp()))
    engine: TableEngine = field(default_factory=TableEngine)

    @property
    def settings(self) -> Settings:
        return load_settings()

    def folder(self, name: str) -> Path:
        return self.home / "data" / name

    @property
    def monitor(self) -> Monitor:
        services = self.folder("orchestrator_data") / "services"
        made = make_monitor(self.folder("orchestrator_data") / "monitor", self.engine, self.clock)
        return replace(made, alert_file=services / "alerts.jsonl")

    def look(self, *, is_dry_run: bool = False) -> Proposal | None:
        """Look and diagnose, as `self_monitor` does."""
        monitor = replace(self.monitor, is_dry_run=is_dry_run)
        seen = look(monitor)
        proposal = diagnose_once(self.settings, seen, monitor)
        json.dumps(look_document(seen, proposal, format_utc(self.clock.now())))
        return proposal

    def later(self, seconds: float = HOUR_S) -> None:
        """Let time pass for the monitor."""
        self.clock.now_s += seconds

    def proposals(self) -> list[dict[str, Any]]:
        """Return what was proposed, oldest first."""
        path = self.folder("orchestrator_data") / "monitor" / PROPOSALS_FILE
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

    def log(self, *fields: dict[str, object]) -> None:
        """Write warnings with fields into the box's log, as of now."""
        path = self.settings.resolve(self.settings.log_dir) / "app.log"
        path.parent.mkdir(exist_ok=True)
        entry = {"time": format_utc(self.clock.now()), "level": "WARNING", "message": "m"}
        entry["component"] = "orchestrator"
        with path.open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps({**entry, "fields": told}) + "\n" for told in fields)

    def run(
        self, module: str, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the product."""
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env={**os.environ, **variables},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def cycle(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a cycle of the orchestrator."""
        return self.run("vv_core.pipeline.orchestrate", "--once", **variables)
