"""What containers said on one day, by service (``docker compose logs``)."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from typing import IO

from vv_core.clock import format_utc
from vv_core.log_export.selection import Day
from vv_core.pipeline.compose_client import ask_compose
from vv_core.settings import Settings

MAX_BYTES = 256 * 1024 * 1024
_LIST_BYTES = 64 * 1024
_TIMEOUT_S = 120.0
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_MOMENT = re.compile(rb"(?P<second>[0-9T:-]{19})(?:\.(?P<part>[0-9]{1,9}))?Z ")


def list_services(settings: Settings) -> list[str]:
    """Return the services that have a container, running or not.

    Raises:
        VvError: the engine does not answer.
    """
    with tempfile.TemporaryFile() as answer:
        ask_compose(
            settings,
            ["ps", "--all", "--services"],
            answer,
            timeout_s=_TIMEOUT_S,
            max_bytes=_LIST_BYTES,
        )
        names = answer.read().decode("utf-8", "replace").split()
    return sorted({name for name in names if _SERVICE.fullmatch(name)})


def read_service(settings: Settings, service: str, day: Day, answer: IO[bytes]) -> list[bytes]:
    """Return what the containers of a service said on a day, in the order of time.

    Args:
        settings: of the box.
        service: its name.
        day: which day.
        answer: an empty file to work with.

    Raises:
        VvError: the engine does not answer.
    """
    arguments = ["logs", "--no-color", "--no-log-prefix", "--timestamps"]
    arguments += ["--since", format_utc(day.start), "--until", format_utc(day.end), service]
    ask_compose(settings, arguments, answer, timeout_s=_TIMEOUT_S, max_bytes=MAX_BYTES)
    return sort_lines(answer)


def sort_lines(lines: Iterable[bytes]) -> list[bytes]:
    """Return lines in the order of their times: those of several containers come mixed, each time another way."""
    return sorted(lines, key=_moment)


def _moment(line: bytes) -> tuple[bytes, bytes]:
    match = _MOMENT.match(line)
    if match is None:
        return b"", b""
    # The engine leaves zeros at the end out: .5 is later than .25.
    return match["second"], (match["part"] or b"").ljust(9, b"0")
