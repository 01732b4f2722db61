"""Reading JSON that somebody else wrote."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from vv_core.errors import InputDataError, from_oserror

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024


def read_json(path: Path, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> Any:
    """Return the content of a JSON file, refusing what JSON does not allow.

    Raises:
        InputMissingError: there is no such file.
        InputDataError: too large, not UTF-8, not JSON, a key twice, NaN, nested too deep.
        TemporaryError: it cannot be read now.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as exc:
        raise from_oserror(exc, "read", path) from exc
    if len(data) > max_bytes:
        raise _bad(path, f"larger than {max_bytes} bytes")
    try:
        return parse_json(data)
    except (ValueError, RecursionError) as exc:
        raise _bad(path, str(exc)) from exc


def parse_json(data: bytes) -> Any:
    """Return the value of UTF-8 JSON text.

    Raises:
        ValueError: not UTF-8, not JSON, a key twice, NaN, a number that is infinite as a float.
        RecursionError: nested too deep.
    """
    return json.loads(
        data.decode("utf-8"),
        object_pairs_hook=_unique_keys,
        parse_float=_finite_float,
        parse_constant=_refuse_constant,
    )


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _bad(path: Path, reason: str) -> InputDataError:
    return InputDataError(
        f"{str(path)!r} is not a usable JSON document: {reason}",
        advice="Remove the file; it is made again from its input on the next cycle.",
    )
