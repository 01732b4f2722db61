"""Where a reader puts what it has: its messages to the hub."""

from __future__ import annotations

import os

from tv_mirror_ui.messages import MAX_PAYLOAD, Sort, Trouble, encode


class ReaderError(Exception):
    """A reader cannot go on.

    Attributes:
        trouble: why.
    """

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class Outlet:
    """Writes messages to a descriptor, each whole."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def picture(self, captured: float, jpeg: bytes) -> None:
        """Pass a picture on.

        Args:
            captured: when it came, CLOCK_MONOTONIC, seconds.
            jpeg: the picture.
        """
        if len(jpeg) > MAX_PAYLOAD:
            self.bad()
        else:
            self._write(encode(Sort.PICTURE, captured, jpeg))

    def bad(self) -> None:
        """Say that something was left out."""
        self._write(encode(Sort.BAD))

    def end(self, trouble: Trouble) -> None:
        """Say why nothing more comes."""
        self._write(encode(Sort.END, payload=trouble.encode("ascii")))

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._descriptor, left) :]
