"""What a verifier can say about one LogLine, and which exit code a whole audit ends with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """The verdict on one item."""

    VALID = "VALID"
    INVALID = "INVALID"
    MISSING = "MISSING"
    UNLOGGED = "UNLOGGED"
    REORDERED = "REORDERED"
    ROLLED_BACK = "ROLLED_BACK"
    FORKED = "FORKED"
    UNVERIFIABLE = "UNVERIFIABLE"
    MALFORMED = "MALFORMED"
    NOT_READ = "NOT_READ"
    PRUNED = "PRUNED"
    SKIPPED = "SKIPPED"


class Reason(StrEnum):
    """Why a verdict is what it is; the words for people are in `vv_core.audit.report`."""

    # VALID
    SIGNATURE_MATCHES = "signature_matches"
    LOGGED = "logged"
    LOGGED_KEYLESS = "logged_keyless"
    HEAD_CONSISTENT = "head_consistent"
    # INVALID
    SIGNATURE_MISMATCH = "signature_mismatch"
    BYTES_CHANGED = "bytes_changed"
    ENTRY_CHANGED = "entry_changed"
    DIFFERS_FROM_LOG = "differs_from_log"
    LINE_TWICE = "line_twice"
    WRONG_LINK = "wrong_link"
    WRONG_LOG = "wrong_log"
    WRONG_NAME = "wrong_name"
    BACK_DATED = "back_dated"
    REVOKED_KEY = "revoked_key"
    RETIRED_KEY = "retired_key"
    TILE_CHANGED = "tile_changed"
    HEAD_SIGNATURE = "head_signature"
    HEAD_OF_ANOTHER_LOG = "head_of_another_log"
    OTHER_VKEY = "other_vkey"
    PRUNED_MORE = "pruned_more"
    EVIDENCE_DIFFERS = "evidence_differs"
    # MISSING
    ENTRY_MISSING = "entry_missing"
    FILE_MISSING = "file_missing"
    TILE_MISSING = "tile_missing"
    HEAD_MISSING = "head_missing"
    LOG_MISSING = "log_missing"
    # UNLOGGED
    NOT_IN_LOG = "not_in_log"
    BEYOND_HEAD = "beyond_head"
    STRAY_FILE = "stray_file"
    # REORDERED
    WRONG_POSITION = "wrong_position"
    # ROLLED_BACK
    SHORTER_THAN_HEAD = "shorter_than_head"
    # FORKED
    OTHER_ROOT_THAN_HEAD = "other_root_than_head"
    OTHER_ROOT_THAN_SIGNED = "other_root_than_signed"
    # PRUNED
    PRUNED_BY_RULE = "pruned_by_rule"
    # UNVERIFIABLE
    NO_VKEY = "no_vkey"
    LOG_NOT_HERE = "log_not_here"
    POSITION_UNPROVEN = "position_unproven"
    NOT_WITNESSED = "not_witnessed"
    UNKNOWN_SIGNER = "unknown_signer"
    INTERRUPTED = "interrupted"
    UNKNOWN_KEY = "unknown_key"
    UNKNOWN_ALGORITHM = "unknown_algorithm"
    UNKNOWN_VERSION = "unknown_version"
    # MALFORMED
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    DUPLICATE_KEY = "duplicate_key"
    NOT_AN_INTEGER = "not_an_integer"
    INTEGER_TOO_LARGE = "integer_too_large"
    LONE_SURROGATE = "lone_surrogate"
    UNKNOWN_TYPE = "unknown_type"
    NOT_A_LOGLINE = "not_a_logline"
    NO_SIGNATURE = "no_signature"
    SCHEMA_VIOLATION = "schema_violation"
    NOT_A_HEAD = "not_a_head"
    NOT_A_PROOF = "not_a_proof"
    NOT_A_BUNDLE = "not_a_bundle"
    NOT_A_TILE = "not_a_tile"
    NOT_A_REGULAR_FILE = "not_a_regular_file"
    # MALFORMED under a LogLine's name, NOT_READ as a path to audit, SKIPPED elsewhere
    SYMBOLIC_LINK = "symbolic_link"
    # NOT_READ
    NOT_FOUND = "not_found"
    UNREADABLE = "unreadable"
    NO_LOGLINES = "no_loglines"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about one item.

    Attributes:
        status: the verdict.
        reason: why.
        detail: more, for a person who looks into it; may hold untrusted text.
        key_id: the key that the document names, once it has the form of one.
        document: the LogLine; only when it is VALID, so that nobody reads fields that are not.
    """

    status: Status
    reason: Reason
    detail: str = ""
    key_id: str | None = None
    document: dict[str, Any] | None = field(default=None, repr=False, compare=False)


EXIT_CODES = {
    Status.VALID: 0,
    Status.SKIPPED: 0,
    Status.PRUNED: 0,
    Status.INVALID: 1,
    Status.MISSING: 1,
    Status.UNLOGGED: 1,
    Status.REORDERED: 1,
    Status.ROLLED_BACK: 1,
    Status.FORKED: 1,
    Status.UNVERIFIABLE: 2,
    Status.MALFORMED: 3,
    Status.NOT_READ: 4,
}
EXIT_NOT_AUDITED = EXIT_CODES[Status.NOT_READ]
"""Usage, I/O, no key store: nothing can be said."""

_WORST_FIRST = (1, 4, 3, 2, 0)
"""Evidence of tampering outweighs all. An audit that could not read everything outweighs what it did
read, since anything may be in the rest."""


def worst_exit(statuses: Iterable[Status]) -> int:
    """Return the exit code of an audit that met these statuses."""
    codes = {EXIT_CODES[status] for status in statuses}
    return next((code for code in _WORST_FIRST if code in codes), 0)
