"""The closed schemas of what a log holds, read from the package (a zip archive as well as a folder)."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from vv_core.audit.canonical import MAX_BYTES
from vv_core.audit.canonical_form import CanonicalForm
from vv_core.audit.closed_schema import Check, compile_schema

LOGLINE_SCHEMAS = ("vv.logline/1", "vv.logline/2")
EVENT_SCHEMA = "vv.logevent/1"
_FILES = dict.fromkeys(LOGLINE_SCHEMAS, "logline.schema.json") | {
    EVENT_SCHEMA: "logevent.schema.json"
}


def is_supported(schema: object) -> bool:
    """Tell whether this program knows the version that a document names."""
    return isinstance(schema, str) and schema in _FILES


def find_schema_problem(document: Any) -> str | None:
    """Check a document against the closed schema that it names.

    Returns:
        None when it follows the schema; else where it does not, in words that may hold its text.
    """
    name = document.get("schema") if isinstance(document, dict) else None
    if not is_supported(name):
        return ": is of no known schema"
    return _check_of(_FILES[str(name)])(document)


def load_logline(data: bytes) -> dict[str, Any] | None:
    """Return the document of bytes that are the canonical form of a LogLine, and follow its schema.

    Returns:
        The document; None where only the longer way can tell: `canonical.load_canonical` and
        `find_schema_problem`, which agree wherever there is one.
    """
    form = _logline_form()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if len(data) > MAX_BYTES or not form.is_form(text):
        return None
    document: dict[str, Any] = json.loads(text)
    return document if form.keeps_conditions(document) else None


@cache
def _logline_form() -> CanonicalForm:
    return CanonicalForm("logline.schema.json", _load)


@cache
def _check_of(file_name: str) -> Check:
    return compile_schema(file_name, _load)


@cache
def _load(file_name: str) -> Any:
    return json.loads(resources.files("vv_schemas").joinpath(file_name).read_bytes())
