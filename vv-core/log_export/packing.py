"""A tar.gz whose bytes follow from its content alone: no owner, no time of writing, names in order."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from vv_core.errors import InputDataError

MAX_MEMBER_BYTES = 4 * 1024**3
REMOVED = b"[removed]"
_CHUNK = 1024 * 1024


@dataclass
class Member:
    """One file of the archive.

    Attributes:
        name: in the archive.
        content: an anonymous file.
        size: of the content, bytes.
        sha256: of the content.
        sources: the files whose lines it holds.
        redactions: lines from which a secret was taken out.
    """

    name: str
    content: IO[bytes]
    size: int = 0
    sha256: str = hashlib.sha256().hexdigest()
    sources: list[str] = field(default_factory=list)
    redactions: int = 0


def fill_member(member: Member, lines: Iterable[bytes], secrets: Sequence[bytes]) -> None:
    """Write lines into a member, without any of the secrets.

    Raises:
        OSError: from the file system, or the member becomes larger than `MAX_MEMBER_BYTES`.
    """
    digest = hashlib.sha256()
    for raw_line in lines:
        line = raw_line
        for secret in secrets:
            line = line.replace(secret, REMOVED)
        member.redactions += line != raw_line
        if member.size + len(line) > MAX_MEMBER_BYTES:
            raise OSError(0, f"more than {MAX_MEMBER_BYTES} bytes of one day")
        member.content.write(line)
        member.size += len(line)
        digest.update(line)
    member.sha256 = digest.hexdigest()


def write_archive(path: Path, members: Sequence[Member], moment: datetime) -> None:
    """Write the archive; ``moment`` is the time that all of its files bear.

    Raises:
        OSError: from the file system.
    """
    with (
        path.open("xb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member in sorted(members, key=lambda each: each.name):
            entry = tarfile.TarInfo(member.name)
            entry.size, entry.mtime, entry.mode = member.size, int(moment.timestamp()), 0o644
            member.content.seek(0)
            archive.addfile(entry, member.content)


def hash_members(path: Path, most: int) -> dict[str, tuple[int, str]]:
    """Return size and SHA-256 of each file of an archive, by name; nothing is unpacked to disk.

    Raises:
        InputDataError: it holds something else than files, a name twice, or more than ``most`` files.
        OSError, tarfile.TarError, EOFError, zlib.error: it cannot be read or is damaged.
    """
    found: dict[str, tuple[int, str]] = {}
    with tarfile.open(path, "r:gz") as archive:
        for entry in archive:
            content = archive.extractfile(entry) if entry.isreg() else None
            if content is None or entry.name in found or len(found) >= most:
                raise InputDataError(
                    f"{str(path)!r} holds more than its manifest says: {entry.name!r}",
                    advice="Keep it aside and find out who changed it.",
                )
            digest = hashlib.sha256()
            while part := content.read(_CHUNK):
                digest.update(part)
            found[entry.name] = (entry.size, digest.hexdigest())
    return found
