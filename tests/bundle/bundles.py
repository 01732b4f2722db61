"""Small bundles, right and wrong."""

from __future__ import annotations

import base64
import json
import tarfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from vv_core.bundle.opening import ENVELOPE
from vv_core.bundle.writing import write_bundle
from vv_core.manifest.dsse import seal
from vv_core.tlog.note import Signer, format_vkey
from vv_core.tlog.signing_key import create_signing_key

CONTENTS = {"repository.bundle": b"history", "wheels/a-1.0-py3-none-any.whl": b"wheel" * 1000}
Change = Callable[[dict[str, Any]], None]


def make_signer(folder: Path, name: str = "vv-manifest") -> Signer:
    """Return a fresh key."""
    return Signer(name, create_signing_key(folder / f"{name}.keys" / "key.pem"))


def write_parts(folder: Path) -> dict[str, Path]:
    """Write `CONTENTS` as files."""
    parts = {}
    for number, (name, content) in enumerate(CONTENTS.items()):
        parts[name] = folder / f"part{number}"
        parts[name].write_bytes(content)
    return parts


def make_bundle(folder: Path, signer: Signer) -> Path:
    """Write a right bundle of `CONTENTS`."""
    target = folder / "right.bundle"
    write_bundle(target, write_parts(folder), {"version": "1.2.3"}, signer)
    return target


def statement_of(bundle: Path) -> dict[str, Any]:
    """Return what a bundle says, without checking anything."""
    with tarfile.open(bundle) as archive:
        stream = archive.extractfile(ENVELOPE)
        assert stream is not None
        document = json.load(stream)
    loaded = json.loads(base64.b64decode(document["payload"]))
    assert isinstance(loaded, dict)
    return loaded


def resign(statement: Mapping[str, Any], signer: Signer) -> bytes:
    """Return the envelope of any statement, signed."""
    payload = json.dumps(statement).encode()
    return seal(payload, format_vkey(signer.verifier).rpartition("+")[0], signer.private_key.sign)


def write_members(target: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """Write a tar file of any members."""
    with tarfile.open(target, "w:", format=tarfile.PAX_FORMAT) as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
    return target


def right_members(envelope: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    """Return the members of a bundle of `CONTENTS`."""
    listed = [(tarfile.TarInfo(name), content) for name, content in CONTENTS.items()]
    return [(tarfile.TarInfo(ENVELOPE), envelope), *listed]
