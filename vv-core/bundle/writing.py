"""Writing a bundle: the signed list of its files, and then the files."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from vv_core.atomic import atomic_path, write_text_atomic
from vv_core.audit.canonical import encode_checked
from vv_core.bundle.opening import (
    ENVELOPE,
    PREDICATE_TYPE,
    STATEMENT_TYPE,
    BundleError,
    check_bundle,
    listed_files,
)
from vv_core.bundle.parts import Parts
from vv_core.errors import ConfigError, InputDataError, SoftwareError, from_oserror
from vv_core.manifest.dsse import seal
from vv_core.tlog.note import Signer, format_vkey
from vv_core.utils import compute_sha256

_LAST_LINES = "# In braces, so that bash runs it only once it is complete.\n"
_END_OF_OPENER = "END_OF_OPENING_PY"


def write_bundle(target: Path, parts: Parts, facts: Mapping[str, str], signer: Signer) -> str:
    """Write one signed file of some parts, and check what was written as a box would.

    Args:
        target: the file to write.
        parts: files by their name in the bundle.
        facts: what the bundle says about itself, such as its version.
        signer: signs.

    Returns:
        The verifier key of the signer.

    Raises:
        InputDataError: a part has a name that a bundle cannot have.
        VvError: something cannot be read or written.
    """
    vkey = format_vkey(signer.verifier)
    try:
        statement = make_statement(parts, {**facts, "vkey": vkey})
        envelope = seal(encode_checked(statement), vkey.rpartition("+")[0], signer.private_key.sign)
        with atomic_path(target) as temporary:
            _write_tar(temporary, envelope, parts)
            check_bundle(temporary, vkey)
    except BundleError as exc:
        raise SoftwareError(
            f"the bundle would not open: {exc}", advice="A file changed meanwhile: make it again."
        ) from exc
    except OSError as exc:
        raise from_oserror(exc, "write the bundle", target) from exc
    return vkey


def make_statement(parts: Parts, predicate: Mapping[str, str]) -> dict[str, object]:
    """Return the in-toto Statement about some files, hashes and sizes included.

    Raises:
        InputDataError: a name cannot stand in a bundle.
        OSError: a file cannot be read.
    """
    statement: dict[str, object] = {
        "_type": STATEMENT_TYPE,
        "subject": [
            {
                "name": name,
                "digest": {"sha256": compute_sha256(path)},
                "annotations": {"size": path.stat().st_size},
            }
            for name, path in sorted(parts.items())
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": dict(predicate),
    }
    try:
        listed_files(statement)
    except BundleError as exc:
        raise InputDataError(
            f"these files cannot be bundled: {exc}",
            advice="Give them plain names: letters, digits and . _ + ~ % = @ -",
        ) from exc
    return statement


def _write_tar(target: Path, envelope: bytes, parts: Parts) -> None:
    with tarfile.open(target, "x:", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(_member(ENVELOPE, len(envelope)), BytesIO(envelope))
        for name, path in sorted(parts.items()):
            with path.open("rb") as stream:
                archive.addfile(_member(name, os.fstat(stream.fileno()).st_size), stream)


def _member(name: str, size: int) -> tarfile.TarInfo:
    """Return a header that tells nothing about the machine: no owner, no time."""
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    return member


def write_installer(target: Path, installer: str, opener: str) -> None:
    """Write an install.sh that can check a bundle with no other file beside it.

    Args:
        target: the file to write.
        installer: text of install.sh.
        opener: text of ``vv-core/bundle/opening.py``.

    Raises:
        ConfigError: install.sh has no such place, or the opener cannot stand in it.
        OSError: it cannot be written.
    """
    before, mark, after = installer.partition(_LAST_LINES)
    if not mark or _END_OF_OPENER in opener:
        raise ConfigError(
            "install.sh is not the one that belongs to this version", advice="Restore it from git."
        )
    function = f"bundle_opener() {{\n  cat <<'{_END_OF_OPENER}'\n{opener}{_END_OF_OPENER}\n}}\n\n"
    write_text_atomic(target, before + function + mark + after, 0o755)
