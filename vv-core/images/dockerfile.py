"""What a Dockerfile takes from outside: bases and paths of its build context."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::-(?P<default>[^}]*))?\}|(?P<plain>\w+))")
_HEREDOC = re.compile(r"<<-?\s*[\"']?(?P<mark>\w+)[\"']?")
_MOUNT = re.compile(r"--mount=(?P<options>\S+)")
_ALL = (".",)
_LEAST_WORDS = 2


@dataclass(frozen=True)
class BuildInputs:
    """What an image is made of, beside what it downloads.

    Attributes:
        bases: images of FROM and COPY --from that are no stage of the file.
        sources: files and folders of the build context.
    """

    bases: tuple[str, ...]
    sources: tuple[str, ...]


def read_inputs(text: str, arguments: Mapping[str, str]) -> BuildInputs:
    """Return what a Dockerfile takes.

    What cannot be known for sure (a wildcard, a variable without value) counts as the whole context: better one build
    too many than one too few.

    Args:
        text: of the Dockerfile.
        arguments: build arguments, over the defaults of its ARG lines.
    """
    known = dict(arguments)
    stages: set[str] = set()
    bases: list[str] = []
    sources: list[str] = []
    for word, rest in _instructions(text):
        if word == "ARG":
            name, _, default = rest.partition("=")
            known.setdefault(name.strip(), _fill(default.strip().strip("\"'"), known))
        elif word == "FROM":
            words = [part for part in _fill(rest, known).split() if not part.startswith("--")]
            _add_base(bases, stages, words[0])
            if len(words) > _LEAST_WORDS and words[1].lower() == "as":
                stages.add(words[2].lower())
        elif word in {"COPY", "ADD"}:
            origin, paths = _copied(_fill(rest, known))
            if origin is None:
                sources += paths
            else:
                _add_base(bases, stages, origin)
        elif word == "RUN":
            for origin, path in _mounted(_fill(rest, known)):
                if origin is None:
                    sources.append(path)
                else:
                    _add_base(bases, stages, origin)
    return BuildInputs(tuple(dict.fromkeys(bases)), tuple(dict.fromkeys(sources)))


def _add_base(bases: list[str], stages: set[str], name: str) -> None:
    if name.lower() not in stages and name != "scratch" and not name.isdigit():
        bases.append(name)


def _instructions(text: str) -> list[tuple[str, str]]:
    """Return instructions; continued lines joined, comments and the text of heredocs left out."""
    found: list[tuple[str, str]] = []
    pending = ""
    marks: list[str] = []
    for line in text.splitlines():
        if marks:
            if line.strip() == marks[0]:
                marks.pop(0)
            continue
        if line.lstrip().startswith("#"):
            continue
        pending += line.strip()
        if pending.endswith("\\"):
            pending = pending[:-1] + " "
            continue
        if pending:
            word, _, rest = pending.partition(" ")
            if word.upper() in {"COPY", "ADD", "RUN"}:
                marks = [match["mark"] for match in _HEREDOC.finditer(rest)]
            found.append((word.upper(), rest.strip()))
        pending = ""
    return found


def _fill(text: str, known: Mapping[str, str]) -> str:
    """Put values in; a variable that has none stays as it is."""

    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        return known.get(name) or match["default"] or (match[0] if name not in known else "")

    return _VARIABLE.sub(value, text)


def _copied(rest: str) -> tuple[str | None, list[str]]:
    """Return whence a COPY takes (None: the context) and which paths."""
    words = rest.split()
    options = [word for word in words if word.startswith("--")]
    origin = next((word[len("--from=") :] for word in options if word.startswith("--from=")), None)
    plain = " ".join(word for word in words if not word.startswith("--"))
    try:
        paths = (
            [str(path) for path in json.loads(plain)] if plain.startswith("[") else plain.split()
        )
    except ValueError:
        return origin, list(_ALL)
    return origin, [_source(path) for path in paths[:-1] if "<<" not in path and "://" not in path]


def _mounted(rest: str) -> list[tuple[str | None, str]]:
    """Return whence (None: the context) and what the bind mounts of a RUN take."""
    found: list[tuple[str | None, str]] = []
    for match in _MOUNT.finditer(rest):
        options = dict(part.partition("=")[::2] for part in match["options"].split(","))
        if options.get("type", "bind") == "bind":
            path = options.get("source") or options.get("src") or "."
            found.append((options.get("from"), _source(path)))
    return found


def _source(path: str) -> str:
    if any(char in path for char in "*?[$"):
        return "."
    return path.strip("/").removeprefix("./") or "."
