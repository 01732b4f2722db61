"""LogLines as if they were proven, for tests of what is decided about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.audit.samples import unsigned_logline
from tv_scheduler.line import Line, line_of
from vv_core.clock import format_utc

NOW = datetime(2026, 11, 21, 12, 30, 30, 250000, UTC)
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def make_line(
    name: str,
    status: str = "curado",
    when: datetime = NOW,
    logged: datetime | None = None,
    media: dict[str, Any] | None = None,
    **more: Any,
) -> Line:
    """Return the example LogLine with some fields changed; `name` ends its id."""
    document = unsigned_logline(
        id=f"20261121T000000Z-{name:0>12}",
        status=status,
        when=format_utc(when),
        logged_at=format_utc(logged or when),
        **more,
    )
    return line_of({**document, "media": {**document["media"], **(media or {})}})
