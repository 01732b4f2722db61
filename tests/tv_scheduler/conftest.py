"""A box whose log is written by the real writer, and a clock that a test moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.audit.samples import unsigned_logline
from tests.tlog_writing.logs import LogBox, SteppedClock
from vv_core.clock import format_utc
from vv_core.settings import Settings
from vv_core.tlog.log_writer import open_log
from vv_core.tlog.wal import PublishedFile


@dataclass
class TvBox:
    """A box with LogLines.

    Attributes:
        log: its log, keys and settings.
    """

    log: LogBox

    @property
    def settings(self) -> Settings:
        return self.log.settings

    @property
    def now(self) -> datetime:
        return self.log.clock.now()

    def add(
        self,
        name: str,
        status: str = "confirmado",
        ago: timedelta = timedelta(hours=1),
        **more: Any,
    ) -> Path:
        """Have the writer sign a LogLine, and return its file."""
        when = self.now - ago
        with open_log(self.settings, self.log.clock) as log:
            log.append(
                lambda _position: unsigned_logline(
                    schema="vv.logline/2",
                    id=f"{when.strftime('%Y%m%dT%H%M%SZ')}-{name.encode().hex()[:12]:0<12}",
                    source=f"{name}.mp4",
                    title=name,
                    status=status,
                    when=format_utc(when),
                    logged_at=format_utc(self.now),
                    **more,
                ),
                lambda _signed, line: [PublishedFile(f"{name}.logline.json", line + b"\n")],
            )
        return self.settings.storage.loglines / f"{name}.logline.json"


@pytest.fixture
def box(tmp_path: Path) -> TvBox:
    # The writer's files carry the machine's own time.
    return TvBox(LogBox(tmp_path, SteppedClock(datetime.now(UTC).replace(microsecond=0))))
