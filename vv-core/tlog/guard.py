"""A writer stops for good when anything fails after it began to write: what is on disk is not known then."""

from __future__ import annotations

from vv_core.errors import TemporaryError


class Guard:
    """Stands around every change on disk; stopped until `start`, and again after a failure within it.

    Attributes:
        is_stopped: nothing may be written any more.
    """

    def __init__(self) -> None:
        self.is_stopped = True

    def start(self) -> None:
        """Let the writer write."""
        self.is_stopped = False

    def check(self) -> None:
        """Refuse to begin when stopped.

        Raises:
            TemporaryError: the writer has stopped, or is not open.
        """
        if self.is_stopped:
            raise TemporaryError(
                "the writer of the log has stopped after a failure",
                advice="It is tried again by itself; the next start recovers the log.",
            )

    def __enter__(self) -> None:
        """Begin a change."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Stop when the change failed."""
        self.is_stopped = self.is_stopped or kind is not None
