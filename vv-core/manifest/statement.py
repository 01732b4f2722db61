"""What a manifest says: an in-toto Statement v1 whose subjects are the shipped files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vv_core.audit.canonical import MalformedError, encode_checked, load_strict
from vv_core.clock import parse_utc
from vv_core.manifest.dsse import MAX_ENVELOPE_BYTES, EnvelopeError

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://voulezvous.ai/schemas/installation-manifest/1"
MODES = ("0644", "0755")
"""As git keeps them: a file is executable or it is not."""
MAX_FILES = 100_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_MAX_PATH = 4096


@dataclass(frozen=True, slots=True)
class ShippedFile:
    """One file of an installation.

    Attributes:
        sha256: of its content, 64 hexadecimal digits.
        size: in bytes.
        mode: one of `MODES`.
    """

    sha256: str
    size: int
    mode: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was shipped.

    Attributes:
        version: of the product.
        created: when it was signed, UTC.
        vkey: the key that signed, by its own word.
        is_development: the key was made by ``make sign`` itself: it shows changes, but not who shipped.
        commit: of the source, or None.
        is_modified: files differed from that commit.
        files: by path relative to the root, with slashes.
    """

    version: str
    created: str
    vkey: str
    is_development: bool
    commit: str | None
    is_modified: bool
    files: Mapping[str, ShippedFile]


def encode_statement(manifest: Manifest) -> bytes:
    """Return the canonical bytes of the statement.

    Raises:
        ValueError: a field cannot stand in one.
    """
    subjects = [
        {
            "name": path,
            "digest": {"sha256": file.sha256},
            "annotations": {"size": file.size, "mode": file.mode},
        }
        for path, file in sorted(manifest.files.items())
    ]
    document = {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "version": manifest.version,
            "created": manifest.created,
            "vkey": manifest.vkey,
            "development": manifest.is_development,
            "commit": manifest.commit,
            "modified": manifest.is_modified,
        },
    }
    data = encode_checked(document)
    try:
        parse_statement(data)
    except EnvelopeError as exc:
        raise ValueError(exc.message) from None
    return data


def parse_statement(data: bytes) -> Manifest:
    """Return what the bytes of a statement say.

    Raises:
        EnvelopeError: they are not such a statement.
    """
    try:
        document = load_strict(data, max_bytes=MAX_ENVELOPE_BYTES)
    except MalformedError as exc:
        raise EnvelopeError(f"its payload: {exc.reason.replace('_', ' ')}") from None
    _need_keys(document, {"_type", "subject", "predicateType", "predicate"}, "the statement")
    if document["_type"] != STATEMENT_TYPE or document["predicateType"] != PREDICATE_TYPE:
        raise EnvelopeError("its payload is a statement of another kind")
    predicate = document["predicate"]
    _need_keys(
        predicate,
        {"version", "created", "vkey", "development", "commit", "modified"},
        "the predicate",
    )
    if not all(isinstance(predicate[name], str) for name in ("version", "created", "vkey")):
        raise EnvelopeError("version, created and vkey are text")
    if not all(isinstance(predicate[name], bool) for name in ("development", "modified")):
        raise EnvelopeError("development and modified are true or false")
    commit = predicate["commit"]
    if commit is not None and not (isinstance(commit, str) and _COMMIT.fullmatch(commit)):
        raise EnvelopeError("commit is not the name of a commit")
    _check_time(predicate["created"])
    return Manifest(
        version=predicate["version"],
        created=predicate["created"],
        vkey=predicate["vkey"],
        is_development=predicate["development"],
        commit=commit,
        is_modified=predicate["modified"],
        files=_parse_files(document["subject"]),
    )


def _check_time(text: str) -> None:
    try:
        parse_utc(text)
    except ValueError:
        raise EnvelopeError("created is not a UTC time") from None


def _parse_files(subjects: Any) -> dict[str, ShippedFile]:
    if not isinstance(subjects, list) or not 0 < len(subjects) <= MAX_FILES:
        raise EnvelopeError("it lists no files, or too many")
    files: dict[str, ShippedFile] = {}
    for subject in subjects:
        path, file = _parse_file(subject)
        if path in files:
            raise EnvelopeError("a file stands twice")
        files[path] = file
    return files


def _parse_file(subject: Any) -> tuple[str, ShippedFile]:
    _need_keys(subject, {"name", "digest", "annotations"}, "a file")
    digest, annotations = subject["digest"], subject["annotations"]
    _need_keys(digest, {"sha256"}, "a digest")
    _need_keys(annotations, {"size", "mode"}, "the annotations of a file")
    path, sha256 = subject["name"], digest["sha256"]
    size, mode = annotations["size"], annotations["mode"]
    if not isinstance(path, str) or not is_inside(path):
        raise EnvelopeError("a file's path leads out of the installation")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256) or mode not in MODES:
        raise EnvelopeError("a file's sha256 or mode is wrong")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise EnvelopeError("a file's size is wrong")
    return path, ShippedFile(sha256, size, mode)


def is_inside(path: str) -> bool:
    """Tell whether a path is relative, in its shortest form, and does not climb."""
    parts: Sequence[str] = path.split("/")
    return 0 < len(path) <= _MAX_PATH and "\0" not in path and not {"", ".", ".."} & set(parts)


def _need_keys(value: Any, keys: set[str], what: str) -> None:
    if not isinstance(value, dict) or value.keys() != keys:
        raise EnvelopeError(f"{what} needs {', '.join(sorted(keys))}, and nothing else")
