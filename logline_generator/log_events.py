"""The command that appends events to the log: ``--batch LIST``, one event a line.

A line is ``{"kind": …, "details": {…}, "when": …}``. An event that is among the newest lines of the log already
is passed over, so that a list may be tried again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vv_core.audit.canonical import MalformedError, load_strict
from vv_core.audit.regular_file import read_regular_file
from vv_core.cli import CommandParser, run_command
from vv_core.clock import format_utc, parse_utc
from vv_core.errors import ExitCode, InputDataError, from_oserror
from vv_core.logs import setup_logging
from vv_core.process import die_with_parent
from vv_core.settings import load_settings
from vv_core.tlog.events import Event, EventKind
from vv_core.tlog.log_writer import LogWriter, open_log

PROG = "log_events"
MAX_LIST_BYTES = 4 * 1024 * 1024
_LOOK_BACK = 64


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = CommandParser(
        PROG, "Append events (a silent camera, a stop, a changed clock) to the log of the box."
    )
    parser.add_argument(
        "--batch", type=Path, required=True, metavar="LIST", help="file with one event a line"
    )
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments.batch, arguments.verbose), PROG)


def _run(path: Path, verbosity: int) -> int:
    die_with_parent()
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), verbosity)
    events = read_events(path)
    with open_log(settings) as log:
        known = _newest_events(log)
        for event in events:
            if _identity(event.kind, event.details, event.when) not in known:
                log.append_event(event)
    return ExitCode.OK


def read_events(path: Path) -> list[Event]:
    """Return the events of a list.

    Raises:
        InputDataError: it is no such list.
        VvError: it cannot be read.
    """
    try:
        data = read_regular_file(path, MAX_LIST_BYTES)
        return [parse_event(load_strict(line)) for line in data.split(b"\n") if line.strip()]
    except OSError as exc:
        raise from_oserror(exc, "read the list of events", path) from exc
    except (MalformedError, ValueError, KeyError, TypeError) as exc:
        raise InputDataError(
            f"{str(path)!r} is not a list of events: {exc}",
            advice='Write one JSON object a line: {"kind": "…", "details": {…}, "when": null}.',
        ) from exc


def parse_event(document: Any) -> Event:
    """Return an event; raises ValueError, KeyError or TypeError for anything else."""
    is_event = isinstance(document, dict) and document.keys() == {"kind", "details", "when"}
    if not is_event or not isinstance(document["details"], dict):
        raise ValueError("a line needs kind, details and when, and nothing else")
    when = document["when"]
    moment = None if when is None else parse_utc(when)
    return Event(EventKind(document["kind"]), document["details"], moment)


def _newest_events(log: LogWriter) -> set[str]:
    lines = log.reader.entries(max(0, log.size - _LOOK_BACK), log.size)
    documents = [load_strict(line) for line in lines if line is not None]
    return {
        _identity(each["kind"], each["details"], parse_utc(each["when"]))
        for each in documents
        if "kind" in each
    }


def _identity(kind: str, details: Any, when: Any) -> str:
    moment = None if when is None else format_utc(when)
    return json.dumps([str(kind), dict(details), moment], sort_keys=True)


if __name__ == "__main__":
    sys.exit(main())
