"""Checking an installation against its manifest: by hand (``make verify``) and at every start."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import vv_core
from vv_core.alerts import Alert, Severity, make_alerter
from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import read_regular_file
from vv_core.clock import Clock
from vv_core.errors import KeyAccessError, from_oserror
from vv_core.logs import get_logger
from vv_core.manifest.compare import Deviation, FoundFile, compare_files
from vv_core.manifest.dsse import MAX_ENVELOPE_BYTES, EnvelopeError, parse_envelope
from vv_core.manifest.statement import Manifest, parse_statement
from vv_core.manifest.tree import MANIFEST_NAME, list_unlisted, look_at
from vv_core.paths import FOLDERS
from vv_core.settings import Settings
from vv_core.tlog.note import NoteError, SignatureKind, Verifier, parse_vkey

_SHOWN = 20


class ManifestRefused(KeyAccessError):
    """The installation is not the one that was signed, and the settings refuse to start it."""


@dataclass(frozen=True, slots=True)
class ManifestReport:
    """What a check found.

    Attributes:
        is_present: there is a manifest.
        sha256: of the file ``vv-signature.json``; None without one.
        manifest: what it says; None when that cannot be read.
        problem: what is wrong with the manifest itself, in words; "" if nothing is.
        is_pinned: the key that signed is the one that was pinned, not only the one it names.
        deviations: files that are not as they were shipped.
    """

    is_present: bool
    sha256: str | None = None
    manifest: Manifest | None = None
    problem: str = ""
    is_pinned: bool = False
    deviations: tuple[Deviation, ...] = ()

    @property
    def is_verified(self) -> bool:
        """Whether the manifest is signed, by the pinned key if there is one, and every file fits."""
        return self.manifest is not None and not self.problem and not self.deviations


def installation_root() -> Path:
    """Return the folder that this program's code lies in."""
    return Path(vv_core.__file__).resolve().parent.parent


def check_installation(
    root: Path, pinned: Verifier | None = None, own_paths: Collection[str] = ()
) -> ManifestReport:
    """Compare every shipped file with the manifest, and look for what is not in it.

    Args:
        root: of the installation.
        pinned: the key that must have signed; None: the one that the manifest names will do.
        own_paths: folders and files of this box that are not shipped, relative to the root.

    Raises:
        ConfigError: `cryptography` is not installed.
        VvError: a folder cannot be read.
    """
    try:
        data = read_regular_file(root / MANIFEST_NAME, MAX_ENVELOPE_BYTES)
    except FileNotFoundError:
        return ManifestReport(is_present=False, problem=f"there is no {MANIFEST_NAME}")
    except MalformedError as exc:
        return ManifestReport(True, problem=f"{MANIFEST_NAME}: {exc.reason.replace('_', ' ')}")
    except OSError as exc:
        raise from_oserror(exc, "read the manifest", root / MANIFEST_NAME) from exc
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        manifest = _open_manifest(data, pinned)
    except (EnvelopeError, NoteError) as exc:
        return ManifestReport(True, sha256, problem=exc.message)
    found = _find_files(root, manifest, own_paths)
    deviations = compare_files(manifest.files, found)
    return ManifestReport(True, sha256, manifest, "", pinned is not None, deviations)


def _open_manifest(data: bytes, pinned: Verifier | None) -> Manifest:
    """Return the manifest after checking who signed it."""
    # 1. It is one envelope with one signature.
    envelope = parse_envelope(data)
    # 2. The signature is the pinned key's, or at least that of the key which the manifest names.
    manifest = parse_statement(envelope.payload)
    verifier = pinned or parse_manifest_key(manifest.vkey)
    try:
        verifier.verify(envelope.signed_message.decode("utf-8"), envelope.signature)
    except NoteError:
        raise NoteError(
            f"{MANIFEST_NAME} was changed, or another key than {verifier.name!r} has signed it",
            advice="Install this version again.",
        ) from None
    return manifest


def _find_files(root: Path, manifest: Manifest, own_paths: Collection[str]) -> dict[str, FoundFile]:
    found = {path: look_at(root, path) for path in manifest.files}
    try:
        for path in list_unlisted(root, manifest.files.keys(), own_paths):
            found[path] = look_at(root, path, hashes=False)
    except OSError as exc:
        raise from_oserror(exc, "look through the installation") from exc
    return {path: file for path, file in found.items() if file is not None}


def manifest_facts(root: Path, pinned: Verifier | None = None) -> dict[str, object]:
    """Return what a start of the log tells about the program that starts.

    Returns:
        ``version`` of the program, ``sha256`` of ``vv-signature.json`` (None without one), and whether
        the installation is ``verified`` against it.

    Raises:
        VvError: as from `check_installation`.
    """
    return facts_of(check_installation(root, pinned))


def facts_of(report: ManifestReport) -> dict[str, object]:
    """Return the same for a check that was made already."""
    return {
        "version": vv_core.__version__,
        "sha256": report.sha256,
        "verified": report.is_verified,
    }


def check_at_start(settings: Settings, root: Path | None = None) -> ManifestReport | None:
    """Check the installation as the settings want it when the product starts.

    Returns:
        The report; None where the check is off.

    Raises:
        ManifestRefused: it does not fit, and ``VV_MANIFEST_POLICY`` is ``enforce``.
        NoteError: ``VV_MANIFEST_VKEY`` is not a key.
        VvError: as from `check_installation`.
    """
    if settings.manifest_policy == "off":
        return None
    place = root or installation_root()
    report = check_installation(place, pinned_key(settings), own_paths(settings, place))
    if report.is_verified:
        return report
    if settings.manifest_policy == "enforce":
        raise ManifestRefused(
            f"the installation in {str(place)!r} is not the one that was signed: {summary(report)}",
            advice="Look at make verify. Install this version again, or, after a change of your own: make sign.",
        )
    # A checkout has no manifest until make sign: nothing to warn of at every start.
    get_logger("manifest").info(
        "the installation is not verified: %s → make verify", summary(report)
    )
    return report


def check_manifest(settings: Settings, clock: Clock) -> ManifestReport | None:
    """Check at the start of the orchestrator, and tell the operator when the installation does not fit.

    Raises:
        VvError: as from `check_at_start`.
    """
    try:
        report = check_at_start(settings)
    except ManifestRefused as exc:
        _tell(settings, clock, Severity.CRITICAL, exc.message, exc.advice)
        raise
    if report is not None and report.is_present and not report.is_verified:
        message = f"the installation was changed: {summary(report)}"
        _tell(settings, clock, Severity.WARNING, message, "Look at make verify.")
    return report


def _tell(settings: Settings, clock: Clock, severity: Severity, message: str, advice: str) -> None:
    urls = settings.alert_urls.get_secret_value() if settings.alert_urls else None
    path = settings.storage.orchestrator_data / "alerts.jsonl"
    alerter = make_alerter(path, urls, clock.now())
    alerter.tell(Alert(severity, "manifest", "installation", message, advice), clock.now())


def summary(report: ManifestReport) -> str:
    """Return what is wrong in one line, the first files named."""
    named = [f"{each.path} ({each.difference})" for each in report.deviations[:_SHOWN]]
    more = len(report.deviations) - len(named)
    return report.problem or ", ".join(named) + (f" and {more} more" if more else "")


def pinned_key(settings: Settings) -> Verifier | None:
    """Return the key that the settings pin.

    Raises:
        NoteError: it is not a verifier key.
    """
    return parse_manifest_key(settings.manifest_vkey) if settings.manifest_vkey else None


def parse_manifest_key(vkey: str) -> Verifier:
    """Return the key of a verifier key line that can sign manifests.

    Raises:
        NoteError: it is not one.
    """
    verifier = parse_vkey(vkey)
    if verifier.kind is not SignatureKind.ED25519:
        raise NoteError("a witness's key signs no manifests", advice="Give the vkey of make sign.")
    return verifier


def own_paths(settings: Settings, root: Path) -> frozenset[str]:
    """Return the folders and files of this box below the root, relative to it."""
    storage = settings.storage
    places = [
        *([storage.root] if storage.root != root else [root / name for name in FOLDERS]),
        settings.resolve(settings.log_dir),
        settings.resolve(settings.faces_dir),
        settings.key_store_path,
        settings.resolve(settings.log_key_file),
        settings.resolve(settings.witness_key_file),
        settings.resolve(settings.manifest_key_file),
        Path(os.environ.get("VV_ENV_FILE") or root / ".env"),
    ]
    inside = [place.relative_to(root) for place in places if place.is_relative_to(root)]
    return frozenset(place.as_posix() for place in inside if place.parts)
