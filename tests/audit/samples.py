"""Signed LogLines to start tests from, and the shared test vectors where they are.

The key below signs ``schemas/examples/logline.example.json`` and the LogLines of the tests. It is
printed here, so it proves nothing: no box may ever use it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from vv_core.audit.signing import sign_document
from vv_core.audit.verify import logline_bytes
from vv_core.settings import OWN_PREFIXES, Settings, load_settings
from vv_schemas import example_path

EXAMPLE_KEY_ID = "example"
EXAMPLE_SECRET = bytes(range(1, 33))
KEYS = {EXAMPLE_KEY_ID: EXAMPLE_SECRET}

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"


def vector_path(name: str) -> Path:
    """Return a file or folder of the shared vectors, or skip the test."""
    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"the shared test vectors are not here: {name}")
    return path


def unsigned_logline(**changes: Any) -> dict[str, Any]:
    """Return the example LogLine without its signature, with some fields changed."""
    document: dict[str, Any] = json.loads(example_path("logline").read_bytes())
    del document["signature_details"]
    return {**document, **changes}


def signed_logline(**changes: Any) -> dict[str, Any]:
    """Return the example LogLine, changed and then signed with the example key."""
    return sign_document(unsigned_logline(**changes), EXAMPLE_KEY_ID, EXAMPLE_SECRET)


def signed_bytes(**changes: Any) -> bytes:
    """Return the file of the example LogLine, changed and then signed with the example key."""
    return logline_bytes(signed_logline(**changes))


def old_signed_bytes(**changes: Any) -> bytes:
    """Return the file of the example LogLine as it was before there was a log: signed only."""
    document = unsigned_logline(**{"schema": "vv.logline/1", **changes})
    document.pop("log", None)
    return logline_bytes(sign_document(document, EXAMPLE_KEY_ID, EXAMPLE_SECRET))


def settings_of(home: Path, **variables: str) -> Settings:
    """Return the settings of a box with this home folder and these variables, and no others."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(OWN_PREFIXES)]:
            patch.delenv(name)
        patch.setenv("VV_HOME", str(home))
        for name, value in variables.items():
            patch.setenv(name, value)
        return load_settings()
