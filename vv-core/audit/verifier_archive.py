"""The verifier as one file: a zip archive that plain Python runs, made of this product's own modules.

Two builds of the same sources give the same bytes, so that an auditor can compare hashes.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from importlib import resources
from io import BytesIO
from pathlib import Path

from vv_core import __version__
from vv_core.atomic import write_bytes_atomic

SHEBANG = b"#!/usr/bin/env python3\n"
CORE_MODULES: Sequence[str] = (
    "__init__",
    "atomic",
    "cli",
    "clock",
    "errors",
    "jsonio",
    "logs",
    "paths",
    "utils",
)
TLOG_MODULES: Sequence[str] = (
    "__init__",
    "checkpoint",
    "heads",
    "merkle",
    "note",
    "note_keys",
    "proof",
    "proof_file",
    "proof_verdict",
    "signing_key",
    "tile_files",
    "tiles",
)
SCHEMAS = ("contract.signature.json", "logevent.schema.json", "logline.schema.json")
_OLDEST_DATE = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644 << 16
_ARCHIVE_MODE = 0o755

# Older than the rest: a Python that is too old has to understand it, to say so.
_MAIN = """\
import sys

if sys.version_info < (3, 11):
    sys.stderr.write("logline_verifier: Python 3.11 or newer is needed\\n-> Run it with: python3.11 ...\\n")
    sys.exit(4)

from vv_core.audit.verifier_command import main

if __name__ == "__main__":
    sys.exit(main())
"""


def build_archive() -> bytes:
    """Return the content of the one-file verifier."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(_contents()):
            entry = zipfile.ZipInfo(name, _OLDEST_DATE)
            entry.external_attr = _FILE_MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return SHEBANG + buffer.getvalue()


def write_archive(path: Path) -> int:
    """Write the one-file verifier and return its size in bytes.

    Raises:
        OSError: from the file system.
    """
    data = build_archive()
    write_bytes_atomic(path, data, _ARCHIVE_MODE)
    return len(data)


def _contents() -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", _MAIN.encode()
    yield "VERSION", f"{__version__}\n".encode()
    core = resources.files("vv_core")
    for folder, names in (("", CORE_MODULES), ("tlog", TLOG_MODULES)):
        yield from _modules(folder, names)
    found = (entry.name for entry in core.joinpath("audit").iterdir())
    yield from _modules("audit", [name[:-3] for name in found if name.endswith(".py")])
    schemas = resources.files("vv_schemas")
    for name in ("__init__.py", *SCHEMAS):
        yield f"vv_schemas/{name}", schemas.joinpath(name).read_bytes()


def _modules(folder: str, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    package = resources.files("vv_core").joinpath(folder)
    for name in names:
        inside = f"vv_core/{folder}/{name}.py" if folder else f"vv_core/{name}.py"
        yield inside, package.joinpath(f"{name}.py").read_bytes()
