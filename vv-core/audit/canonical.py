"""The canonical form that signatures cover, and the strict loader that only accepts what has one.

The form is RFC 8785 (JSON Canonicalization Scheme) on a subset: objects, arrays, text, integers with
|n| <= 2^53-1, true, false and null; nested at most 16 deep, at most 65,535 bytes, no duplicate keys,
no lone surrogates, no fractions. On that subset sorted `json.dumps` writes RFC 8785 as it is, except
for the order of keys beyond the Basic Multilingual Plane, which is by UTF-16 code units.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from vv_core.audit.verdict import Reason
from vv_core.errors import InputDataError

MAX_BYTES = 65_535
MAX_DEPTH = 16
MAX_INTEGER = 2**53 - 1
_MAX_INTEGER_DIGITS = len(str(-MAX_INTEGER))
_BRACKETS_TO_WALK = 1000
"""More than this many of { and [ cannot be decoded without a thought for Python's stack."""


class MalformedError(InputDataError):
    """Data has no canonical form.

    Attributes:
        reason: which rule it breaks.
        detail: where or how; never holds the data itself, which may be a secret.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        text = reason.replace("_", " ")
        super().__init__(
            f"not a strict JSON document: {text}{f' ({detail})' if detail else ''}",
            advice="Use the file as it was written, or a backup of it.",
        )
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from reason and detail when the error crosses a process."""
        return (MalformedError, (self.reason, self.detail))


def canonical_bytes(document: Any) -> bytes:
    """Return the canonical form of a document, UTF-8 without a newline.

    Raises:
        MalformedError: the document is outside the subset, or its form is too large.
    """
    _check(document, 0)
    data = encode_checked(document)
    if len(data) > MAX_BYTES:
        raise MalformedError(Reason.TOO_LARGE, f"{len(data)} bytes")
    return data


def load_strict(data: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Return the value of JSON text, refusing everything that has no canonical form.

    White space and the order of keys are free here; whoever needs exact bytes compares them with
    `canonical_bytes`.

    Raises:
        MalformedError: the data is not such a text.
    """
    if len(data) > max_bytes:
        raise MalformedError(Reason.TOO_LARGE, f"more than {max_bytes} bytes")
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError as exc:
        raise MalformedError(Reason.NOT_UTF8, f"byte {exc.start}") from None
    except json.JSONDecodeError as exc:
        raise MalformedError(Reason.NOT_JSON, f"{exc.msg}, character {exc.pos}") from None
    except RecursionError:
        raise MalformedError(Reason.TOO_DEEP) from None
    _check(value, 0)
    return value


def load_canonical(data: bytes) -> Any:
    """Return the value of data that is its own canonical form, or None for all else.

    The quick way for what is nearly always so; `load_strict` says what is wrong with the rest. What
    passes here passes there, since writing it again gives the same bytes: no key stands twice, no
    escape, blank or order is another one. Only depth and numbers need a look of their own.

    Raises:
        Nothing for any data.
    """
    # Fewer brackets than levels allowed: no need to walk. Escapes may hide lone surrogates.
    brackets = data.count(b"{") + data.count(b"[")
    if len(data) > MAX_BYTES or brackets > _BRACKETS_TO_WALK:
        return None
    try:
        value = _CANONICAL_DECODER.decode(data.decode("utf-8"))
        if brackets > MAX_DEPTH:
            _check(value, 0)
        is_canonical = encode_checked(value) == data
    except (ValueError, RecursionError, MalformedError):
        return None
    return value if is_canonical else None


def encode_checked(value: Any) -> bytes:
    """Return the canonical form of a value that came from `load_strict`, without checking it again."""
    data = _SORTING_ENCODER.encode(value).encode("utf-8")
    if not data.isascii() and _is_beyond_bmp(data):
        data = _ENCODER.encode(_sort_as_utf16(value)).encode("utf-8")
    return data


def _is_beyond_bmp(data: bytes) -> bool:
    """Tell whether UTF-8 text has a character beyond the Basic Multilingual Plane, by its first byte."""
    return (
        b"\xf0" in data or b"\xf1" in data or b"\xf2" in data or b"\xf3" in data or b"\xf4" in data
    )


def _check(value: Any, depth: int) -> None:
    """Refuse what is outside the subset; recursion ends at `MAX_DEPTH`."""
    if isinstance(value, str):
        _check_text(value)
    elif value is None or isinstance(value, bool):
        return
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise MalformedError(Reason.INTEGER_TOO_LARGE)
    elif isinstance(value, dict | list):
        _check_container(value, depth + 1)
    elif isinstance(value, float):
        raise MalformedError(Reason.NOT_AN_INTEGER)
    else:
        raise MalformedError(Reason.UNKNOWN_TYPE, type(value).__name__)


def _check_container(value: dict[Any, Any] | list[Any], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MalformedError(Reason.TOO_DEEP, f"more than {MAX_DEPTH} levels")
    if isinstance(value, list):
        for item in value:
            _check(item, depth)
        return
    for key, item in value.items():
        if not isinstance(key, str):
            raise MalformedError(Reason.UNKNOWN_TYPE, "a key that is not text")
        _check_text(key)
        _check(item, depth)


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedError(Reason.LONE_SURROGATE) from None


def _sort_as_utf16(value: Any) -> Any:
    """Return the value with the keys of every object in the order of RFC 8785, section 3.2.3."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: _sort_as_utf16(value[key]) for key in keys}
    if isinstance(value, list):
        return [_sort_as_utf16(item) for item in value]
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise MalformedError(Reason.DUPLICATE_KEY)
    return result


def _parse_integer(digits: str) -> int:
    # Looked at before int(), which takes quadratic time and refuses more than 4,300 digits.
    if len(digits) > _MAX_INTEGER_DIGITS:
        raise MalformedError(Reason.INTEGER_TOO_LARGE)
    value = int(digits)
    if abs(value) > MAX_INTEGER:
        raise MalformedError(Reason.INTEGER_TOO_LARGE)
    return value


def _refuse_number(_text: str) -> NoReturn:
    raise MalformedError(Reason.NOT_AN_INTEGER)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_keys,
    parse_int=_parse_integer,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
)
_CANONICAL_DECODER = json.JSONDecoder(
    parse_int=_parse_integer, parse_float=_refuse_number, parse_constant=_refuse_number
)
_SORTING_ENCODER = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")
)
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
