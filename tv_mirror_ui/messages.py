"""What the hub and the reader of one camera say to each other.

The hub writes one line of JSON, the order, to the reader's stdin: neither address nor password is ever an argument
or a variable, which others on the machine could read. The reader writes messages to its stdout.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, field
from enum import StrEnum

MAX_ORDER = 16 * 1024
MAX_PAYLOAD = 4 * 1024 * 1024
HEADER = struct.Struct(">cdI")
"""Sort of message, moment (CLOCK_MONOTONIC, seconds), bytes of payload that follow."""


class Sort:
    """The sorts of messages."""

    PICTURE = b"P"
    """A JPEG; the moment is when it came from the camera."""
    BAD = b"B"
    """The camera sent something that was left out."""
    END = b"E"
    """Why the reader ends: a `Trouble`."""


class Trouble(StrEnum):
    """Why there is no picture."""

    UNREACHABLE = "unreachable"
    """Nobody answers there, or the file is not there."""
    REFUSED = "refused"
    """The camera does not accept the login."""
    SILENT = "silent"
    """It is connected, and no picture comes."""
    ENDED = "ended"
    """The camera ended the stream, or the reader died."""
    UNREADABLE = "unreadable"
    """What comes is no video that could be shown."""
    NO_BLUR = "no_blur"
    """Faces are to be blurred, and that cannot be done here."""
    NO_ADDRESS = "no_address"
    """The DVR's address is not set."""
    NO_LOGIN = "no_login"
    """There is no login of that name."""


@dataclass(frozen=True)
class Order:
    """What a reader is to do; fields as in `cameras.Camera` and `logins.Login`."""

    kind: str
    url: str
    frames_per_s: float
    width: int
    height: int
    blur_faces: bool = False
    user: str = ""
    password: str = field(default="", repr=False)

    def to_line(self) -> bytes:
        """Return it as the reader takes it."""
        return json.dumps(asdict(self)).encode("ascii") + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Order:
        """Return the order in a line.

        Raises:
            ValueError: it is none.
            TypeError: it is none.
        """
        return cls(**json.loads(line))


def encode(sort: bytes, moment: float = 0.0, payload: bytes = b"") -> bytes:
    """Return a message as bytes."""
    return HEADER.pack(sort, moment, len(payload)) + payload
