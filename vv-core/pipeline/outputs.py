"""What the stages left on disk: whose it is, whether it can be believed, and what to call the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from vv_core.errors import InputMissingError, VvError
from vv_core.jsonio import read_json
from vv_core.paths import Storage, output_stem, with_hash
from vv_core.pipeline.stages import StageSpec
from vv_core.utils import validate_schema
from vv_schemas import schema_path


def output_problem(spec: StageSpec, path: Path, sha256: str) -> str | None:
    """Check a stage's output: it exists, follows its schema and names its video.

    Returns:
        None when all holds, else what is wrong.
    """
    try:
        document = read_json(path)
        validate_schema(document, schema_path(spec.schema))
    except VvError as exc:
        return exc.message
    if _named_hash(document, spec.hash_field) != sha256:
        return f"{path.name!r} belongs to another video"
    return None


def owner_of(storage: Storage, stages: Sequence[StageSpec]) -> Callable[[str], str | None]:
    """Return a function that tells which video (by hash) uses a stem already, if any does.

    A file that cannot be read counts as somebody's: its name is not taken over.
    """

    def owner(stem: str) -> str | None:
        # The last stage first: what is signed binds most.
        for spec in reversed(stages):
            try:
                document = read_json(spec.output(storage, stem))
            except InputMissingError:
                continue
            except VvError:
                return "unreadable"
            return _named_hash(document, spec.hash_field) or "unreadable"
        return None

    return owner


def choose_stem(raw_stem: str, sha256: str, owner: Callable[[str], str | None]) -> str:
    """Choose the stem of a video's outputs.

    The same video always finds the stem again that it used before a crash; of two videos with the
    same name the later one gets ``-<first 8 of its sha256>``, and more of it should that be taken.

    Args:
        raw_stem: the file's name without suffix.
        sha256: of the video.
        owner: tells which video uses a stem.
    """
    stems = list(_possible_stems(raw_stem, sha256))
    for stem in stems:
        if owner(stem) == sha256:
            return stem
    return next((stem for stem in stems if owner(stem) is None), stems[-1])


def _possible_stems(raw_stem: str, sha256: str) -> Iterator[str]:
    stem = output_stem(raw_stem, sha256)
    yield stem
    for digits in digits_by_eight(sha256):
        stem = with_hash(stem, digits)
        yield stem


def digits_by_eight(sha256: str) -> list[str]:
    """Return a hash from its first, ninth, 17th … digit on: marks for a name until it is a free one."""
    return [sha256[start:] for start in range(0, len(sha256), 8)]


def _named_hash(document: Any, keys: Sequence[str]) -> str | None:
    for key in keys:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document if isinstance(document, str) else None
