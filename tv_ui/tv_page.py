"""``/tv.html``: one file, told which version it is, and allowed to run itself and nothing else."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

from vv_core.errors import InputDataError, from_oserror
from vv_core.video_files import FileSignature
from vv_core.web_safety import build_policy

PLACEHOLDER = "__PAGE_VERSION__"
_MAX_BYTES = 2 * 1024 * 1024
_VERSION_DIGITS = 16
_POLICY = "media-src 'self' blob: data:"


@dataclass(frozen=True)
class TvPage:
    """The page as it is sent.

    Attributes:
        body: UTF-8.
        version: 16 hexadecimal digits that change with the file.
        policy: its Content-Security-Policy.
    """

    body: bytes
    version: str
    policy: str


def build_page(source: bytes) -> TvPage:
    """Return the page of a file.

    Raises:
        ValueError: it is not UTF-8.
    """
    version = hashlib.sha256(source).hexdigest()[:_VERSION_DIGITS]
    # A browser hashes a script after it has made all ends of line "\n".
    text = source.decode("utf-8").replace("\r\n", "\n").replace(PLACEHOLDER, version)
    return TvPage(text.encode(), version, build_policy(text, _POLICY))


class TvPageFile:
    """The page's file, read again when it has changed; may be used by several threads."""

    def __init__(self, path: Path) -> None:
        """Begin with nothing read."""
        self._path = path
        self._lock = threading.Lock()
        self._known: tuple[FileSignature, TvPage] | None = None

    def get(self) -> TvPage:
        """Return the page.

        Raises:
            VvError: it cannot be read.
        """
        try:
            signature = FileSignature.of(self._path.stat())
            with self._lock:
                if self._known is not None and self._known[0] == signature:
                    return self._known[1]
            with self._path.open("rb") as stream:
                source = stream.read(_MAX_BYTES)
        except OSError as exc:
            raise from_oserror(exc, "read the page of the TVs", self._path) from exc
        try:
            page = build_page(source)
        except ValueError as exc:
            raise InputDataError(
                f"{str(self._path)!r} is not UTF-8", advice="Install the program again."
            ) from exc
        with self._lock:
            self._known = (signature, page)
        return page
