"""Reading a summary: its content and its hash from the same bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vv_core.errors import InputDataError, SchemaViolation, from_oserror
from vv_core.jsonio import parse_json
from vv_core.utils import validate_schema
from vv_schemas import schema_path

MAX_BYTES = 4 * 1024 * 1024
_ADVICE = "Remove the file; it is made again from the analytic on the next cycle."


@dataclass(frozen=True)
class Summary:
    """A valid summary.

    Attributes:
        document: as ``summary.schema.json`` says.
        sha256: of the file's exact bytes.
    """

    document: dict[str, Any]
    sha256: str


def read_summary(path: Path) -> Summary:
    """Read and check a summary file.

    Raises:
        InputMissingError: there is no such file.
        InputDataError: it is too large, not JSON, or does not follow the schema.
        TemporaryError: it cannot be read now.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as exc:
        raise from_oserror(exc, "read the summary", path) from exc
    return Summary(_parse(data, path), hashlib.sha256(data).hexdigest())


def _parse(data: bytes, path: Path) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise _bad(path, f"it is larger than {MAX_BYTES} bytes")
    try:
        document = parse_json(data)
        validate_schema(document, schema_path("summary"))
    except (ValueError, RecursionError) as exc:
        raise _bad(path, str(exc)) from exc
    except SchemaViolation as exc:
        raise _bad(path, exc.message) from exc
    checked: dict[str, Any] = document
    return checked


def _bad(path: Path, problem: str) -> InputDataError:
    return InputDataError(f"{str(path)!r} is not a usable summary: {problem}", advice=_ADVICE)
