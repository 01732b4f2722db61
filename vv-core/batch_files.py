"""The two files of a batch: its list, and the journal that says how far it is.

A batch list has one JSON object a line: ``{"input": …, "output": …, "relative_name": …}``. Beside it the
stage keeps ``<list>.journal``, with a line when an item starts and one when it ends; from it the
orchestrator knows which items are done and which one a crash belongs to.
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vv_core.errors import InputDataError, VvError, from_oserror
from vv_core.jsonio import MAX_DOCUMENT_BYTES, parse_json

JOURNAL_SUFFIX = ".journal"


@dataclass(frozen=True)
class StageItem:
    """One thing to do.

    Attributes:
        input: the file to read.
        output: the file to write.
        relative_name: the video's path below ``input/``, when the caller knows it better than `input`.
    """

    input: Path
    output: Path
    relative_name: str | None = None

    def to_json(self) -> str:
        """Return the item as one line of a batch list (ASCII, so that any file name survives)."""
        return json.dumps(
            {
                "input": str(self.input),
                "output": str(self.output),
                "relative_name": self.relative_name,
            }
        )


def read_batch(path: Path) -> list[StageItem]:
    """Return the items of a batch list.

    Raises:
        VvError: the list is absent or not a batch list.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_DOCUMENT_BYTES + 1)
        if len(data) > MAX_DOCUMENT_BYTES:
            raise ValueError(f"larger than {MAX_DOCUMENT_BYTES} bytes")
        return [_parse_item(parse_json(line)) for line in data.split(b"\n") if line.strip()]
    except OSError as exc:
        raise from_oserror(exc, "read the batch list", path) from exc
    except (ValueError, RecursionError) as exc:
        raise InputDataError(
            f"{str(path)!r} is not a batch list: {exc}",
            advice='Write one JSON object a line: {"input": "…", "output": "…"}.',
        ) from exc


def _parse_item(raw: Any) -> StageItem:
    """Return the item of one line; raises ValueError."""
    if not isinstance(raw, dict) or not {"input", "output"} <= raw.keys() <= _KEYS:
        raise ValueError("a line needs input, output and perhaps relative_name, and nothing else")
    relative = raw.get("relative_name")
    for text in (raw["input"], raw["output"], *([] if relative is None else [relative])):
        if not isinstance(text, str) or not text or "\0" in text:
            raise ValueError(f"{text!r} is not a file name")
    return StageItem(Path(raw["input"]), Path(raw["output"]), relative)


_KEYS = {"input", "output", "relative_name"}


class Journal:
    """Tells on disk, item by item, how far a batch is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> Journal:
        try:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        except OSError as exc:
            raise from_oserror(exc, "write the batch journal", self._path) from exc
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def start(self, index: int) -> None:
        """Note that an item begins."""
        self._write({"event": "start", "index": index})

    def end(self, index: int, error: VvError | None) -> None:
        """Note that an item ended, well or with an error."""
        entry: dict[str, Any] = {"event": "end", "index": index, "exit_code": 0}
        if error is not None:
            entry |= {
                "exit_code": int(error.exit_code),
                "message": error.message,
                "advice": error.advice,
            }
        self._write(entry)

    def _write(self, entry: dict[str, Any]) -> None:
        data = json.dumps(entry).encode("ascii") + b"\n"
        try:
            # A line that is cut short must stay the last: what follows would be glued to it.
            if os.write(self._descriptor, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as exc:
            raise from_oserror(exc, "write the batch journal", self._path) from exc
