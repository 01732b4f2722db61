"""Is a file finished, or is somebody still writing it?"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vv_core.video_files import FileSignature


@dataclass(frozen=True)
class Observation:
    """What an earlier look saw.

    Attributes:
        signature: the file as it was.
        since: when it was first seen so, seconds since 1970.
    """

    signature: FileSignature
    since: float


def is_unchanged_long_enough(
    signature: FileSignature, earlier: Observation | None, now: float, stable_seconds: float
) -> bool:
    """Tell whether a file has been left alone for the interval.

    Either its own times say so (the change time is set by the kernel and cannot be copied along, as a
    modification time can), or an earlier look saw the very same file long enough ago, which also serves
    files whose times lie in the future.

    Args:
        signature: the file now.
        earlier: the last look at it, if any.
        now: seconds since 1970.
        stable_seconds: the interval.
    """
    touched = max(signature.mtime_ns, signature.ctime_ns) / 1e9
    if now - touched >= stable_seconds:
        return True
    # A clock that was set back must not make a file wait for ever: the look counts from now again.
    return (
        earlier is not None
        and earlier.signature == signature
        and 0 <= now - earlier.since >= stable_seconds
    )


_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3"}


class Writing(Enum):
    """Whether somebody has a file open for writing."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def is_open_for_writing(path: Path) -> Writing:
    """Ask the kernel whether any process of this machine has the file open for writing.

    A read lease (``fcntl(2)``, F_SETLEASE) is refused with EAGAIN while there is a writer. Network file
    systems and files of other users may not allow leases: then it is unknown. NFS 4 and SMB say EAGAIN
    for that too (Linux, ``nfs4_add_lease`` and ``cifs_setlease``), so there it means nothing.

    Raises:
        OSError: the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        # Should a writer come while the lease is held, the kernel signals us: by a signal that is
        # ignored by default, not by SIGIO, which would end the process.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as exc:
        if exc.errno != errno.EAGAIN or _is_on_network(descriptor):
            return Writing.UNKNOWN
        return Writing.YES
    else:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return Writing.NO
    finally:
        os.close(descriptor)


def _is_on_network(descriptor: int) -> bool:
    mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
    return file_system_of(os.fstat(descriptor).st_dev, mounts) in _NETWORK_FILE_SYSTEMS


def file_system_of(device: int, mountinfo: str) -> str | None:
    """Return the type of the file system with a device number.

    Args:
        device: as in `os.stat_result.st_dev`.
        mountinfo: content of ``/proc/self/mountinfo`` (``proc(5)``).
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        if fields[2] == number:
            return fields[fields.index("-") + 1]
    return None
