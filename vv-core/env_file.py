"""The names in ``.env`` and in the environment: each must be one that the product knows."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from io import StringIO
from pathlib import Path

from dotenv.parser import Original, parse_stream

from vv_core.errors import ConfigError

ENCODING = "utf-8-sig"
"""UTF-8, with or without the mark that Windows editors put first."""


def read_names(env_file: Path) -> set[str]:
    """Return the names that a ``.env`` sets; none where there is no such file.

    Raises:
        ConfigError: it cannot be read, or a line is not of the form NAME=value.
    """
    if not env_file.is_file():
        return set()
    try:
        text = env_file.read_text(ENCODING)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(
            f"{str(env_file)!r} cannot be read: {exc}",
            advice="Give the user of the service access to it; it must be UTF-8.",
        ) from exc
    names = set()
    for binding in parse_stream(StringIO(text)):
        # The faulty text itself is left out, as it may be a secret.
        if binding.error or (binding.key is not None and binding.value is None):
            raise ConfigError(
                f"line {_line_number(binding.original)} of {str(env_file)!r} is not a setting",
                advice="Write NAME=value, or put # before a comment; .env.example shows each.",
            )
        if binding.key is not None:
            names.add(binding.key)
    return names


def _line_number(original: Original) -> int:
    """Return where the text of a binding begins; empty lines before it belong to it."""
    text = original.string
    return original.line + text[: len(text) - len(text.lstrip())].count("\n")


def refuse_unknown(names: Iterable[str], known: Collection[str], env_file: Path) -> None:
    """Refuse names that are not known.

    Raises:
        ConfigError: there is one; the advice names what it may have been meant to be.
    """
    unknown = sorted(set(names).difference(known))
    if not unknown:
        return
    similar = difflib.get_close_matches(unknown[0], known, n=1)
    hint = f" Did you mean {similar[0]}?" if similar else ""
    raise ConfigError(
        f"unknown setting: {', '.join(unknown)}",
        advice=f"Remove it from {str(env_file)!r} or the environment.{hint}",
    )
