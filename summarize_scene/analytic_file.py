"""Reading an analytic: its content and its hash from the same bytes."""

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

MAX_BYTES = 512 * 1024 * 1024
"""Two million detections, the most that the schema allows, take about so much."""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
"""JSON can write half a character, which no file and no text can hold."""

_ADVICE = "Remove the file; the next cycle makes it again from the video."


@dataclass(frozen=True)
class Analytic:
    """A valid analytic.

    Attributes:
        document: as ``analytic.schema.json`` says.
        sha256: of the file's exact bytes.
    """

    document: dict[str, Any]
    sha256: str


def read_analytic(path: Path) -> Analytic:
    """Read and check an analytic.

    Raises:
        InputMissingError: there is no such file.
        InputDataError: it is too large, not JSON, or not an analytic.
        TemporaryError: it cannot be read now.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as exc:
        raise from_oserror(exc, "read the analytic", path) from exc
    if len(data) > MAX_BYTES:
        raise InputDataError(f"{path.name!r} is larger than {MAX_BYTES} bytes", advice=_ADVICE)
    try:
        document = parse_json(data)
        if _SURROGATE.search(data):
            json.dumps(document, ensure_ascii=False).encode("utf-8")
        validate_schema(document, schema_path("analytic"))
    except (ValueError, RecursionError, SchemaViolation) as exc:
        raise InputDataError(f"{path.name!r} is not an analytic: {exc}", advice=_ADVICE) from exc
    return Analytic(document, hashlib.sha256(data).hexdigest())
