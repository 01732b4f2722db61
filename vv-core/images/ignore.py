"""Which files reach a builder: the rules of ``.dockerignore``.

As Docker does it (moby/patternmatcher): the last pattern that fits a file or one of its folders decides; ``!`` lets in;
``*`` and ``?`` do not cross a slash, ``**`` does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Rule:
    """One line: what it fits, and whether it lets in."""

    fits: re.Pattern[str]
    lets_in: bool


def parse_ignore(text: str) -> list[Rule]:
    """Return the rules of a ``.dockerignore``."""
    rules = []
    for line in text.removeprefix("\ufeff").splitlines():
        pattern = "" if line.startswith("#") else line.strip()
        lets_in = pattern.startswith("!")
        pattern = os.path.normpath(pattern.removeprefix("!").strip() or "/").strip("/")
        if pattern and pattern != ".":
            rules.append(Rule(re.compile(_expression(pattern)), lets_in))
    return rules


def is_let_in(path: str, rules: Sequence[Rule]) -> bool:
    """Tell whether a file (relative, with slashes) reaches the builder."""
    folders = [
        str(folder) for folder in reversed(PurePosixPath(path).parents) if str(folder) != "."
    ]
    lets_in = True
    for rule in rules:
        if any(rule.fits.fullmatch(name) for name in (*folders, path)):
            lets_in = rule.lets_in
    return lets_in


def context_files(context: Path, sources: Sequence[str], rules: Sequence[Rule]) -> Iterator[str]:
    """Yield the files of a build context below some of its paths, sorted, each once.

    Args:
        context: the folder that is sent.
        sources: files or folders in it, relative; "." for all of it.
        rules: of its ``.dockerignore``.

    Raises:
        OSError: a folder cannot be listed.
    """
    found: set[str] = set()
    for source in sources:
        path = context / source
        if path.is_symlink() or not path.is_dir():
            if os.path.lexists(path):
                found.add(os.path.relpath(path, context))
            continue
        for folder, _, names in os.walk(path, onerror=_raise):
            found.update(os.path.relpath(Path(folder) / name, context) for name in names)
    yield from sorted(name for name in found if is_let_in(name, rules))


def _raise(exc: OSError) -> None:
    raise exc


def _expression(pattern: str) -> str:
    """Return the regular expression of a pattern."""
    parts, index = [], 0
    while index < len(pattern):
        if pattern.startswith("**/", index):
            parts.append("(?:.*/)?")
            index += 3
        elif pattern.startswith("**", index):
            parts.append(".*")
            index += 2
        else:
            parts.append({"*": "[^/]*", "?": "[^/]"}.get(pattern[index], re.escape(pattern[index])))
            index += 1
    return "".join(parts)
