from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.samples import (
    EXAMPLE_KEY_ID,
    EXAMPLE_SECRET,
    KEYS,
    signed_bytes,
    signed_logline,
    unsigned_logline,
)
from vv_core.audit import verify
from vv_core.audit.document_schemas import find_schema_problem
from vv_core.audit.signing import sign_document
from vv_core.audit.verdict import Reason, Status, worst_exit
from vv_core.audit.verify import MAX_FILE_BYTES, logline_bytes, verify_bytes
from vv_core.utils import validate_schema
from vv_schemas import example_path, schema_path

LINE = signed_bytes()
NESTED = signed_bytes(
    media={"signature_details": signed_logline()["signature_details"] | {"x": 1}, "n": [{}] * 30}
)
"""A line in which the same signature stands once more, further in."""


def test_the_example_of_the_schema_is_valid() -> None:
    data = example_path("logline").read_bytes()
    verdict = verify_bytes(data, KEYS)
    assert verdict.status is Status.VALID
    assert verdict.document == json.loads(data)
    validate_schema(verdict.document, schema_path("logline"))


@pytest.mark.parametrize("bit", range(8))
def test_no_changed_bit_of_any_byte_is_valid(bit: int) -> None:
    for position in range(len(LINE)):
        changed = bytearray(LINE)
        changed[position] ^= 1 << bit
        assert verify_bytes(bytes(changed), KEYS).status is not Status.VALID, position


def test_no_byte_can_be_left_out_or_doubled() -> None:
    for position in range(len(LINE)):
        left_out = LINE[:position] + LINE[position + 1 :]
        doubled = LINE[: position + 1] + LINE[position:]
        assert verify_bytes(left_out, KEYS).status is not Status.VALID, position
        assert verify_bytes(doubled, KEYS).status is not Status.VALID, position


def test_no_cut_is_valid() -> None:
    for length in range(len(LINE)):
        assert verify_bytes(LINE[:length], KEYS).status is not Status.VALID, length


@given(st.integers(0, len(LINE)), st.integers(0, 40), st.binary(max_size=40))
def test_no_edit_is_valid(position: int, length: int, inserted: bytes) -> None:
    edited = LINE[:position] + inserted + LINE[position + length :]
    assert (verify_bytes(edited, KEYS).status is Status.VALID) == (edited == LINE)


@given(st.integers(0, len(LINE)), st.integers(0, 40), st.binary(max_size=40))
def test_the_quick_way_has_the_verdict_of_the_long_way(
    position: int, length: int, inserted: bytes
) -> None:
    """The signature is cut out of the bytes there, and the form made again here."""
    for start in (LINE, NESTED):
        edited = start[:position] + inserted + start[position + length :]
        for data in (start, edited):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(verify, "verify_entry", lambda *_: None)
                due = verify_bytes(data, KEYS)
            assert verify_bytes(data, KEYS) == due


@given(st.binary(max_size=80))
def test_any_bytes_get_a_verdict(data: bytes) -> None:
    assert verify_bytes(data, KEYS).status is Status.MALFORMED


def edited(**changes: Any) -> bytes:
    """Return the file of a LogLine that was changed after signing."""
    return logline_bytes({**signed_logline(), **changes})


def pretty(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"


# One case at least for each numbered check of verify_document and verify_bytes.
CASES = {
    "1 not JSON": (b"# Title\n", Status.MALFORMED, Reason.NOT_JSON),
    "1 too large": (b" " * MAX_FILE_BYTES + b"{}", Status.MALFORMED, Reason.TOO_LARGE),
    "1 a million levels": (b"[" * 1_000_000, Status.MALFORMED, Reason.TOO_LARGE),
    "1 duplicate key": (b'{"status":"alerta",' + LINE[1:], Status.MALFORMED, Reason.DUPLICATE_KEY),
    "2 no signature": (
        logline_bytes(unsigned_logline()),
        Status.MALFORMED,
        Reason.NO_SIGNATURE,
    ),
    "2 another document": (b'{"a":1}\n', Status.MALFORMED, Reason.NOT_A_LOGLINE),
    "3 another algorithm": (
        LINE.replace(b"HMAC-SHA256", b"HMAC-SHA512"),
        Status.UNVERIFIABLE,
        Reason.UNKNOWN_ALGORITHM,
    ),
    "4 unknown key": (
        logline_bytes(sign_document(unsigned_logline(), "k2", b"y" * 32)),
        Status.UNVERIFIABLE,
        Reason.UNKNOWN_KEY,
    ),
    "5 edited": (edited(status="confirmado"), Status.INVALID, Reason.SIGNATURE_MISMATCH),
    "5 edited, with an unknown field": (edited(x=1), Status.INVALID, Reason.SIGNATURE_MISMATCH),
    "5 version changed": (
        edited(schema="vv.logline/1"),
        Status.INVALID,
        Reason.SIGNATURE_MISMATCH,
    ),
    "5 signed with another key of that name": (
        logline_bytes(sign_document(unsigned_logline(), EXAMPLE_KEY_ID, b"y" * 32)),
        Status.INVALID,
        Reason.SIGNATURE_MISMATCH,
    ),
    "6 indented": (pretty(signed_logline()), Status.INVALID, Reason.BYTES_CHANGED),
    "6 no newline": (LINE.rstrip(b"\n"), Status.INVALID, Reason.BYTES_CHANGED),
    "6 two newlines": (LINE + b"\n", Status.INVALID, Reason.BYTES_CHANGED),
    "6 Windows newline": (LINE[:-1] + b"\r\n", Status.INVALID, Reason.BYTES_CHANGED),
    "6 escaped letter": (
        LINE.replace(b'"who"', b'"\\u0077ho"'),
        Status.INVALID,
        Reason.BYTES_CHANGED,
    ),
    "6 minus zero": (
        signed_bytes(entities=[], media=0).replace(b'"media":0', b'"media":-0'),
        Status.INVALID,
        Reason.BYTES_CHANGED,
    ),
    "7 another signed document": (
        signed_bytes(schema="vv.playlist/2"),
        Status.MALFORMED,
        Reason.NOT_A_LOGLINE,
    ),
    "7 a later version": (
        signed_bytes(schema="vv.logline/3", more=1),
        Status.UNVERIFIABLE,
        Reason.UNKNOWN_VERSION,
    ),
    "8 an unknown field, signed": (signed_bytes(x=1), Status.MALFORMED, Reason.SCHEMA_VIOLATION),
    "8 an unknown status, signed": (
        signed_bytes(status="ok"),
        Status.MALFORMED,
        Reason.SCHEMA_VIOLATION,
    ),
    "8 a time with an offset, signed": (
        signed_bytes(when="2026-11-21T02:03:04-03:00"),
        Status.MALFORMED,
        Reason.SCHEMA_VIOLATION,
    ),
}


@pytest.mark.parametrize(("data", "status", "reason"), CASES.values(), ids=CASES)
def test_checks(data: bytes, status: Status, reason: Reason) -> None:
    verdict = verify_bytes(data, KEYS)
    assert (verdict.status, verdict.reason) == (status, reason)
    assert verdict.document is None


def test_a_schema_problem_is_told_where() -> None:
    assert "status" in str(find_schema_problem({**signed_logline(), "status": "ok"}))
    assert find_schema_problem(signed_logline()) is None


def test_nothing_was_signed_by_an_empty_secret() -> None:
    forged = logline_bytes(sign_document(unsigned_logline(), EXAMPLE_KEY_ID, b""))
    assert verify_bytes(forged, {EXAMPLE_KEY_ID: EXAMPLE_SECRET}).status is Status.INVALID


S = Status
WORST = [
    ([], 0),
    ([S.VALID, S.SKIPPED], 0),
    ([S.VALID, S.UNVERIFIABLE], 2),
    ([S.UNVERIFIABLE, S.MALFORMED, S.VALID], 3),
    ([S.MALFORMED, S.NOT_READ, S.UNVERIFIABLE], 4),
    ([S.NOT_READ, S.MALFORMED, S.INVALID, S.UNVERIFIABLE, S.VALID], 1),
]


@pytest.mark.parametrize(("statuses", "code"), WORST)
def test_the_worst_verdict_gives_the_exit_code(statuses: list[Status], code: int) -> None:
    assert worst_exit(statuses) == code
