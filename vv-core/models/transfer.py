"""What to ask an HTTP server for, and what its answer means (RFC 9110); no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)")
_RETRYABLE = {408, 425, 429, 500, 502, 503, 504}
_OK, _PARTIAL, _UNSATISFIABLE = 200, 206, 416
_MAX_RETRY_AFTER_S = 300.0

PART_SCHEMA = "vv.models.part/1"


@dataclass(frozen=True)
class Part:
    """What is known about the beginning of a file that was fetched before.

    Attributes:
        url: where it came from.
        validator: strong ETag or Last-Modified of the answer; None when it had none.
        total: bytes of the whole file; None when the server did not say.
        synced: bytes that were on the disk when this was written; what follows a power cut may have taken.
    """

    url: str
    validator: str | None = None
    total: int | None = None
    synced: int = 0


@dataclass(frozen=True)
class Expected:
    """What is known about a file before it is fetched.

    Attributes:
        url: where it is.
        size: bytes, as published; None where unknown.
        max_bytes: more is refused.
        has_hash: whether its hash is known, so that wrong bytes are found out in the end.
    """

    url: str
    size: int | None
    max_bytes: int
    has_hash: bool


@dataclass(frozen=True)
class Answer:
    """What to do with an answer.

    Attributes:
        action: "write" its body from `offset`; "restart" without the old part; "complete": there is no more;
            "retry" later; "refuse": asking again will not help.
        offset: where its body begins.
        part: what to remember about it.
        reason: why it is not written.
        wait_s: how long the server asks to wait.
    """

    action: Literal["write", "restart", "complete", "retry", "refuse"]
    offset: int = 0
    part: Part | None = None
    reason: str = ""
    wait_s: float = 0.0


def usable_bytes(part: Part | None, have: int, expected: Expected) -> int:
    """Return how many bytes of an old part may be kept.

    A known hash will tell whether all of them are right. Without one, only bytes that surely reached the disk
    are kept, and only under a validator that tells whether both halves belong together.
    """
    if part is None or part.url != expected.url or have > expected.max_bytes:
        return 0
    if part.total is not None and have > part.total:
        return 0
    if expected.has_hash:
        return have
    return min(have, part.synced) if part.validator is not None else 0


def request_headers(part: Part | None, have: int) -> dict[str, str]:
    """Return the headers that ask for the rest of a file."""
    headers = {"Accept-Encoding": "identity", "User-Agent": "vv-models"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if part is not None and part.validator is not None:
            headers["If-Range"] = part.validator
    return headers


def judge_answer(
    status: int,
    headers: Mapping[str, str],
    have: int,
    expected: Expected,
    promised: int | None = None,
) -> Answer:
    """Decide what to do with the head of an answer.

    Args:
        status: HTTP status, after redirects.
        headers: names in lower case.
        have: bytes that were asked to be skipped.
        expected: what is known about the file.
        promised: its length as an earlier answer stated it.
    """
    if status == _UNSATISFIABLE and have:
        lengths = {_content_range(headers)[1], promised or have, expected.size or have}
        return Answer("complete" if lengths == {have} else "restart")
    if status in _RETRYABLE:
        return Answer("retry", reason=f"it answered {status}", wait_s=_retry_after(headers))
    if status not in (_OK, _PARTIAL):
        return Answer("refuse", reason=f"it answered {status}")
    if headers.get("content-encoding", "identity").lower() != "identity":
        return Answer("refuse", reason="it sends the file in another encoding")
    if status == _OK:
        offset, total = 0, _number(headers.get("content-length"))
    else:
        start, total = _content_range(headers)
        if start != have:
            return Answer("restart", reason="it sent another range than asked")
        offset = have
    return _judge_size(
        Answer("write", offset, Part(expected.url, _validator(headers), total)), expected
    )


def _judge_size(answer: Answer, expected: Expected) -> Answer:
    total = answer.part.total if answer.part else None
    if total is None:
        return answer
    if expected.size is not None and total != expected.size:
        return Answer("refuse", reason=f"it offers {total} bytes, {expected.size} were expected")
    if total > expected.max_bytes:
        return Answer(
            "refuse", reason=f"it offers {total} bytes, at most {expected.max_bytes} are accepted"
        )
    return answer


def wait_before(attempt: int, first_s: float, longest_s: float, asked_s: float) -> float:
    """Return the seconds to wait before an attempt: doubling, at least what the server asked."""
    return max(min(first_s * 2.0**attempt, longest_s), asked_s)


def part_document(part: Part) -> dict[str, Any]:
    """Return what stands in the file beside a part; `parse_part` reads it."""
    return {"schema": PART_SCHEMA, **asdict(part)}


def parse_part(raw: Any) -> Part | None:
    """Return what stands in the file beside a part; None when it has another form."""
    if not isinstance(raw, dict) or raw.get("schema") != PART_SCHEMA:
        return None
    if raw.keys() != {"schema", "url", "validator", "total", "synced"}:
        return None
    url, validator, total, synced = (raw[key] for key in ("url", "validator", "total", "synced"))
    if not isinstance(url, str) or not isinstance(validator, str | None):
        return None
    if not (total is None or type(total) is int) or type(synced) is not int or synced < 0:
        return None
    return Part(url, validator, total, synced)


def _validator(headers: Mapping[str, str]) -> str | None:
    """Return what If-Range may hold: a strong ETag, else the date (RFC 9110, 13.1.5)."""
    etag = headers.get("etag", "")
    if etag.startswith('"') and etag.endswith('"') and etag.isascii() and etag.isprintable():
        return etag
    date = headers.get("last-modified", "")
    return date if date and date.isascii() and date.isprintable() else None


def _content_range(headers: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Return the first byte and the total of a Content-Range; None for what it does not say."""
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if match is None:
        return None, None
    return _number(match[1]), _number(match[3])


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None  # noqa: PLR2004


def _retry_after(headers: Mapping[str, str]) -> float:
    seconds = _number(headers.get("retry-after"))
    return 0.0 if seconds is None else min(float(seconds), _MAX_RETRY_AFTER_S)
