"""Writing the manifest of an installation: which files, and who signs."""

from __future__ import annotations

import os
from pathlib import Path

import vv_core
from vv_core.atomic import write_bytes_atomic
from vv_core.clock import Clock, format_utc
from vv_core.errors import InputDataError, from_oserror
from vv_core.manifest.check import check_installation
from vv_core.manifest.compare import FoundFile
from vv_core.manifest.dsse import EnvelopeError, parse_envelope, seal
from vv_core.manifest.statement import (
    Manifest,
    ShippedFile,
    encode_statement,
    is_inside,
    parse_statement,
)
from vv_core.manifest.tree import (
    MANIFEST_NAME,
    list_unlisted,
    look_at,
    source_commit,
    tracked_files,
)
from vv_core.tlog.note import Signer, format_vkey
from vv_core.tlog.signing_key import create_signing_key, load_signing_key

KEY_NAME = "vv-manifest"
DEVELOPMENT = "-development"
_EXECUTABLE = 0o100


def load_manifest_key(path: Path, *, may_create: bool) -> tuple[Signer, bool]:
    """Return the key that signs manifests, and whether it was made now.

    A key that is made here is a development key, and is told from a given one by a file beside it.

    Raises:
        KeyAccessError: it is missing and may not be made, or is not safe.
        ConfigError: `cryptography` is not installed.
    """
    mark = path.with_name(f"{path.name}.development")
    makes = may_create and not os.path.lexists(path)
    if makes:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_bytes_atomic(mark, b"made by make sign\n", 0o600)
        except OSError as exc:
            raise from_oserror(exc, "make a development key", mark) from exc
    key = create_signing_key(path) if makes else load_signing_key(path)
    name = f"{KEY_NAME}{DEVELOPMENT}" if mark.exists() else KEY_NAME
    return Signer(name, key), makes


def sign_installation(
    root: Path, signer: Signer, clock: Clock, own_paths: frozenset[str] = frozenset()
) -> tuple[Manifest, list[str]]:
    """Write the manifest of what lies below a root, and check the installation against it.

    The shipped files are those that git tracks; without ``.git`` those of the manifest that is there; without
    one all that no rule leaves out.

    Returns:
        What was written, and the files that lie there and were not signed.

    Raises:
        InputDataError: a file cannot be shipped (a link, a strange name), or changed meanwhile.
        VvError: something cannot be read or written.
    """
    paths = _shipped_paths(root, own_paths)
    files = {path: _shipped_file(root, path) for path in paths}
    commit, is_modified = source_commit(root)
    manifest = Manifest(
        version=vv_core.__version__,
        created=format_utc(clock.now()),
        vkey=format_vkey(signer.verifier),
        is_development=signer.name.endswith(DEVELOPMENT),
        commit=commit,
        is_modified=is_modified,
        files=files,
    )
    keyid = manifest.vkey.rpartition("+")[0]
    data = seal(encode_statement(manifest), keyid, signer.private_key.sign)
    try:
        write_bytes_atomic(root / MANIFEST_NAME, data)
    except OSError as exc:
        raise from_oserror(exc, "write the manifest", root / MANIFEST_NAME) from exc
    return manifest, _check_written(root, signer, own_paths)


def _check_written(root: Path, signer: Signer, own_paths: frozenset[str]) -> list[str]:
    """Check the installation as a start would; return what is there beside it."""
    report = check_installation(root, signer.verifier, own_paths)
    listed = report.manifest.files if report.manifest else {}
    changed = [each.path for each in report.deviations if each.path in listed]
    if report.problem or changed:
        raise InputDataError(
            f"the manifest does not fit what was signed: {report.problem or ', '.join(changed[:5])}",
            advice="Something changed the files meanwhile: sign again.",
        )
    return [each.path for each in report.deviations]


def _shipped_paths(root: Path, own_paths: frozenset[str]) -> list[str]:
    tracked = tracked_files(root)
    if tracked is not None:
        return [path for path in tracked if path != MANIFEST_NAME]
    listed = _listed_before(root)
    if listed is not None:
        return [path for path in listed if os.path.lexists(root / path)]
    try:
        return sorted(list_unlisted(root, (), own_paths))
    except OSError as exc:
        raise from_oserror(exc, "look through the installation", root) from exc


def _listed_before(root: Path) -> list[str] | None:
    """Return the files of the manifest that is there, whoever signed it, None without a usable one."""
    try:
        data = (root / MANIFEST_NAME).read_bytes()
        return sorted(parse_statement(parse_envelope(data).payload).files)
    except (FileNotFoundError, EnvelopeError):
        return None
    except OSError as exc:
        raise from_oserror(exc, "read the manifest", root / MANIFEST_NAME) from exc


def _shipped_file(root: Path, path: str) -> ShippedFile:
    found = look_at(root, path)
    problem = _find_problem(path, found)
    if found is None or problem:
        raise InputDataError(
            f"{path!r} cannot be shipped: {problem}",
            advice="Remove it, or give it a plain name; links are not shipped.",
        )
    mode = "0755" if found.mode & _EXECUTABLE else "0644"
    return ShippedFile(found.sha256, found.size, mode)


def _find_problem(path: str, found: FoundFile | None) -> str:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if not is_inside(path):
        return "its name leads out of the installation"
    if found is None:
        return "it is gone"
    return "" if found.kind == "file" else f"it is a {found.kind}"
