"""Reading the document that the stage before has left: its content and its hash from the same bytes."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vv_core.errors import InputDataError, SchemaViolation, from_oserror
from vv_core.jsonio import parse_json
from vv_core.utils import validate_schema
from vv_schemas import schema_path

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
"""JSON can write half a character, which no file and no text can hold."""


@dataclass(frozen=True)
class StageInput:
    """A valid document.

    Attributes:
        document: as its schema says.
        sha256: of the file's exact bytes.
    """

    document: dict[str, Any]
    sha256: str


def read_stage_input(path: Path, kind: str, *, max_bytes: int) -> StageInput:
    """Read and check a document.

    Args:
        path: of the file.
        kind: name of its schema, as "analytic"; also what messages call it.
        max_bytes: a larger file is refused.

    Raises:
        InputMissingError: there is no such file.
        InputDataError: it is too large, not JSON, or does not follow the schema.
        TemporaryError: it cannot be read now.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as exc:
        raise from_oserror(exc, f"read the {kind}", path) from exc
    if len(data) > max_bytes:
        raise _bad(path, kind, f"it is larger than {max_bytes} bytes")
    try:
        document = parse_json(data)
        if _SURROGATE.search(data):
            json.dumps(document, ensure_ascii=False).encode("utf-8")
        validate_schema(document, schema_path(kind))
    except SchemaViolation as exc:
        raise _bad(path, kind, exc.message) from exc
    except (ValueError, RecursionError) as exc:
        raise _bad(path, kind, str(exc)) from exc
    return StageInput(document, hashlib.sha256(data).hexdigest())


def _bad(path: Path, kind: str, problem: str) -> InputDataError:
    return InputDataError(
        f"{str(path)!r} is not a usable {kind}: {problem}",
        advice="Remove the file; the next cycle makes it again from its own input.",
    )
