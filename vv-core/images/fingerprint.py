"""One hash of all that an image is made of: when it differs, the image is made anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from vv_core.images.compose_model import Build
from vv_core.images.dockerfile import read_inputs
from vv_core.images.ignore import context_files, parse_ignore
from vv_core.utils import compute_sha256

ImageId = Callable[[str], str]
"""Returns the id of an image that the engine has, or "" for one that it has not."""


def fingerprint(build: Build, image_id: ImageId) -> str:
    """Return the hash of Dockerfile, build arguments, bases, and every file that reaches the builder and is used.

    Raises:
        OSError: a file cannot be read.
    """
    text = build.dockerfile.read_text("utf-8")
    inputs = read_inputs(text, build.arguments)
    ignore = build.context / ".dockerignore"
    rules = parse_ignore(ignore.read_text("utf-8")) if ignore.is_file() else []
    extra = [name for name in inputs.bases if name in build.extra_contexts]
    parts: dict[str, object] = {
        "dockerfile": text,
        "arguments": dict(sorted(build.arguments.items())),
        "target": build.target,
        # A base that was fetched anew has another id, and is a reason to build.
        "bases": {name: image_id(name) for name in inputs.bases if name not in extra},
        "files": {
            name: _file_mark(build.context / name)
            for name in context_files(build.context, inputs.sources, rules)
        },
        "extra": {name: _folder_mark(build.extra_contexts[name]) for name in extra},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _file_mark(path: Path) -> str:
    if path.is_symlink():
        return f"link {path.readlink()}"
    return f"{path.stat().st_mode & 0o111:o} {compute_sha256(path)}"


def _folder_mark(folder: Path) -> Mapping[str, str]:
    if not folder.is_dir():
        return {}
    return {name: _file_mark(folder / name) for name in context_files(folder, ["."], [])}
