"""Videos that are to be tried again, and when: on disk, so that a restart does not make them all due."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from vv_core.atomic import write_json_atomic
from vv_core.clock import format_utc, parse_utc
from vv_core.errors import InputDataError, InputMissingError, from_oserror
from vv_core.jsonio import read_json
from vv_core.logs import get_logger

SCHEMA = "vv.clip-waiting/1"
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
MOST_FAULTS = 3
"""A video at which ffmpeg was stuck or killed so often is given up."""
_MAX_DOUBLINGS = 10

_logger = get_logger("clips")


@dataclass(frozen=True)
class Wait:
    """Why and how long a video waits.

    Attributes:
        failures: in a row.
        faults: how many of them may be the video's own.
        due: when it is tried again.
        reason: of the last failure.
    """

    failures: int
    faults: int
    due: datetime
    reason: str


def note_failure(before: Wait | None, now: datetime, reason: str, *, is_fault: bool) -> Wait:
    """Return the wait after one more failure: twice as long as the last, up to an hour."""
    failures = (before.failures if before else 0) + 1
    faults = (before.faults if before else 0) + is_fault
    pause = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - 1, _MAX_DOUBLINGS))
    return Wait(failures, faults, now + pause, reason)


def is_due(wait: Wait | None, now: datetime) -> bool:
    """Tell whether a video may be tried: it does not wait, waited, or the clock was set back far."""
    return wait is None or now >= wait.due or wait.due - now > LONGEST_WAIT


class Waiting:
    """The waits of all videos, by hash.

    Args:
        path: of the file that keeps them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waits = _read(path)

    def of(self, sha256: str) -> Wait | None:
        """Return how a video waits, if it does."""
        return self._waits.get(sha256)

    def count(self) -> int:
        """Return how many wait."""
        return len(self._waits)

    def reason(self) -> str:
        """Return why one of them waits, "" when none does."""
        return next((wait.reason for wait in self._waits.values() if not wait.faults), "")

    def set(self, sha256: str, wait: Wait | None) -> None:
        """Let a video wait, or no longer.

        Raises:
            TemporaryError: it cannot be kept.
        """
        if wait is None and sha256 not in self._waits:
            return
        rest = {key: value for key, value in self._waits.items() if key != sha256}
        self._keep(rest if wait is None else {**rest, sha256: wait})

    def forget_others(self, known: Collection[str]) -> None:
        """Keep those of known videos alone.

        Raises:
            TemporaryError: it cannot be kept.
        """
        kept = {sha256: wait for sha256, wait in self._waits.items() if sha256 in known}
        if kept != self._waits:
            self._keep(kept)

    def _keep(self, waits: dict[str, Wait]) -> None:
        # In memory first: on a full disk the waits must hold all the same.
        self._waits = waits
        document = {
            "schema": SCHEMA,
            "waits": {
                sha256: {**asdict(wait), "due": format_utc(wait.due)}
                for sha256, wait in waits.items()
            },
        }
        try:
            self._path.parent.mkdir(exist_ok=True)
            write_json_atomic(self._path, document)
        except OSError as exc:
            raise from_oserror(exc, "keep what is to be tried again", self._path) from exc


def _read(path: Path) -> dict[str, Wait]:
    """Return the waits of a file; without a usable one nothing waits, which costs a try each."""
    try:
        document = read_json(path)
        if document["schema"] != SCHEMA:
            raise ValueError("another form")
        return {
            str(sha256): Wait(
                int(wait["failures"]),
                int(wait["faults"]),
                parse_utc(wait["due"]),
                str(wait["reason"]),
            )
            for sha256, wait in document["waits"].items()
        }
    except InputMissingError:
        return {}
    except (InputDataError, AttributeError, KeyError, TypeError, ValueError) as exc:
        _logger.warning("%r is of no use and made anew: %s", str(path), exc)
        return {}
