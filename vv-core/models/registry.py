"""What is known about models before they are here: entries, and the list of them.

An entry is either *shipped* (``path``: a file that is part of the product, relative to the folder of its
packages) or *fetched* (``url``). A ``sha256`` stands there only where it was published; a comment in the
list cites where.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import unquote, urlsplit

from vv_core.errors import InputMissingError

Kind = Literal["summary", "detector", "diagnosis"]
Chat = Literal["auto", "plain"]

KINDS: tuple[Kind, ...] = ("summary", "detector", "diagnosis")
SWITCHED: tuple[Kind, ...] = ("summary", "detector")
"""Those that `activate` switches; what the monitor asks is named by VV_MONITOR_MODEL_FILE."""
CHATS: tuple[Chat, ...] = ("auto", "plain")
SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "summary": (".gguf",),
    "detector": (".pt",),
    "diagnosis": (".gguf",),
}
"""How the file of a kind may end."""

PACKAGES = Path(__file__).resolve().parents[2]
"""The folder that the packages of a checkout are in."""

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Entry:
    """One model of the registry.

    Attributes:
        name: what commands call it.
        kind: what it is for.
        version: of the weights.
        licence: SPDX expression; `licence_link` is where its text stands.
        notes: for people, by language.
        path: of a shipped file, relative to the folder of the packages; None for one to fetch.
        url: where to fetch it; None for a shipped one.
        sha256: as published; None where it was not.
        size: bytes; None where unknown.
        context: tokens of prompt and answer together; None where it does not apply.
        chat: "plain" where the model has no chat template or must not use it.
        prompt: the packaged prompt that suits it.
        min_kept_percent: share of the fixed scenes' texts that must be kept before it is activated.
    """

    name: str
    kind: Kind
    version: str
    licence: str
    licence_link: str
    notes: dict[str, str]
    path: PurePosixPath | None = None
    url: str | None = None
    sha256: str | None = None
    size: int | None = None
    context: int | None = None
    chat: Chat = "auto"
    prompt: str | None = None
    min_kept_percent: int = 1

    @property
    def is_shipped(self) -> bool:
        """Whether the file is part of the product."""
        return self.path is not None

    @property
    def file_name(self) -> str:
        """The name of its file."""
        return self.path.name if self.path is not None else url_file_name(self.url or "")


@dataclass(frozen=True)
class Registry:
    """All entries, in the order of the file.

    Attributes:
        source: the file they came from.
    """

    entries: tuple[Entry, ...]
    source: Path

    def find(self, name: str) -> Entry | None:
        """Return the entry of a name."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def get(self, name: str) -> Entry:
        """Return the entry of a name.

        Raises:
            InputMissingError: there is none.
        """
        entry = self.find(name)
        if entry is None:
            raise InputMissingError(
                f"no model is called {name!r}",
                advice=f"Choose of {', '.join(entry.name for entry in self.entries)}.",
            )
        return entry

    def shipped(self, kind: Kind) -> Entry | None:
        """Return the first shipped entry of a kind: what is used when nothing was activated."""
        return next((it for it in self.entries if it.kind == kind and it.is_shipped), None)


def shipped_path(entry: Entry) -> Path:
    """Return where the file of a shipped entry is, or would be.

    Found without importing its package: in a checkout and in an installation alike.
    """
    relative = entry.path or PurePosixPath(entry.name)
    package, *rest = relative.parts
    spec = importlib.util.find_spec(package) if rest else None
    for folder in (spec.submodule_search_locations or []) if spec else []:
        return Path(folder, *rest)
    return PACKAGES / relative


def is_model_name(text: str) -> bool:
    """Tell whether a text may be the name of a model."""
    return NAME.fullmatch(text) is not None


def is_trustworthy(url: str) -> bool:
    """Tell whether nobody on the way can change what comes from a URL: https, or this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def url_file_name(url: str) -> str:
    """Return the last part of a URL's path."""
    return PurePosixPath(unquote(urlsplit(url).path)).name
