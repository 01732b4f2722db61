"""The whole decision about the bytes of one LogLine file; no files here.

The checks are numbered and done in this order. The signature comes before version and schema, so that
a change to a file that we signed is told as tampering (INVALID) wherever in the file it was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vv_core.audit.canonical import (
    MAX_BYTES,
    MalformedError,
    encode_checked,
    load_canonical,
    load_strict,
)
from vv_core.audit.document_schemas import find_schema_problem, is_supported, load_logline
from vv_core.audit.signing import is_line, verify_canonical, verify_document
from vv_core.audit.verdict import Reason, Status, Verdict

MAX_FILE_BYTES = MAX_BYTES + 1
"""A LogLine file is the canonical form and one newline."""


def logline_bytes(signed: Mapping[str, Any]) -> bytes:
    """Return the exact content of the file of a signed LogLine."""
    return encode_checked(signed) + b"\n"


def verify_bytes(data: bytes, keys: Mapping[str, bytes]) -> Verdict:
    """Decide about the content of one LogLine file.

    Args:
        data: the file's content.
        keys: secrets by key id.

    Returns:
        The verdict; never raises for what stands in ``data``.
    """
    if data.endswith(b"\n"):
        verdict = verify_entry(data[:-1], keys)
        if verdict is not None:
            return verdict
    # 1. Strict JSON within the limits.
    try:
        document = load_strict(data, max_bytes=MAX_FILE_BYTES)
    except MalformedError as exc:
        return Verdict(Status.MALFORMED, exc.reason, exc.detail)
    # 2 to 5. The signature.
    verdict = verify_document(document, keys)
    if verdict.status is not Status.VALID:
        return verdict
    # 6. The bytes are the ones that were written: not a blank more, no other spelling of a character.
    if data != logline_bytes(document):
        return Verdict(Status.INVALID, Reason.BYTES_CHANGED, key_id=verdict.key_id)
    return _verify_content(document, verdict)


def verify_entry(data: bytes, keys: Mapping[str, bytes]) -> Verdict | None:
    """Decide about a line in the exact bytes that a log holds: its file without the newline.

    Returns:
        The verdict that `verify_bytes` has for the line's file; None where the bytes are not canonical,
        so that only the longer way can tell what is wrong with them.
    """
    # 1 and 6 to 8 at once, for nearly every LogLine that is in order; what is left is the signature.
    logline = load_logline(data)
    if logline is not None:
        return verify_canonical(data, logline, keys)
    # 1 and 6. Strict JSON within the limits, in the very bytes that are signed.
    document = load_canonical(data)
    if document is None:
        return None
    # 2 to 5. The signature.
    verdict = verify_canonical(data, document, keys)
    if verdict.status is not Status.VALID:
        return verdict
    return _verify_content(document, verdict)


def _verify_content(document: dict[str, Any], verdict: Verdict) -> Verdict:
    """Go on with a document whose signature and bytes are right; return ``verdict`` if the rest is."""
    key_id = verdict.key_id
    # 7. It is a LogLine or an event, of a version that this program knows. A later one may be in order.
    if not is_line(document):
        return Verdict(Status.MALFORMED, Reason.NOT_A_LOGLINE, key_id=key_id)
    version = document["schema"]
    if not is_supported(version):
        return Verdict(Status.UNVERIFIABLE, Reason.UNKNOWN_VERSION, version, key_id)
    # 8. It follows the closed schema. An unknown field is no LogLine, even signed with a known key.
    problem = find_schema_problem(document)
    if problem is not None:
        return Verdict(Status.MALFORMED, Reason.SCHEMA_VIOLATION, problem, key_id)
    return verdict
