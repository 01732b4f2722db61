"""What to do when a LogLine is there already: is it ours, and does it stay."""

from __future__ import annotations

from pathlib import Path

from vv_core.audit.audit_folder import verify_file
from vv_core.audit.canonical import load_strict
from vv_core.audit.regular_file import read_regular_file
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.audit.verify import MAX_FILE_BYTES
from vv_core.errors import InputDataError, KeyAccessError, TemporaryError
from vv_core.tlog.lines import is_logged
from vv_core.tlog.log_writer import LogWriter


def judge_existing(path: Path, log: LogWriter) -> Verdict:
    """Return what can be said about the file that is to hold a LogLine.

    A line of this log must stand in it. Its key may have evolved and be erased since: what stands in the
    log is ours all the same.

    Raises:
        VvError: the log cannot be read.
    """
    verdict = verify_file(path, log.keys.keys)
    has_old_key = verdict.reason is Reason.UNKNOWN_KEY
    if verdict.document is None and not has_old_key:
        return verdict
    data = read_regular_file(path, MAX_FILE_BYTES)
    document = load_strict(data, max_bytes=MAX_FILE_BYTES)
    place = document.get("log")
    if not isinstance(place, dict) or place.get("origin") != log.origin:
        return verdict
    if not is_logged(log.reader, data.removesuffix(b"\n")):
        return Verdict(Status.UNLOGGED, Reason.NOT_IN_LOG)
    return Verdict(Status.VALID, Reason.LOGGED, key_id=verdict.key_id, document=document)


def should_write(verdict: Verdict, video_sha256: str, name: str) -> bool:
    """Tell whether a LogLine is to be written, given what the verifier says of its file.

    A signed LogLine is never replaced: one that is valid and about the same video is kept, even if the
    video was summarised again, since each video has exactly one; one that does not verify is evidence.

    Args:
        verdict: about the file that is to hold the LogLine.
        video_sha256: the video that is to be logged.
        name: what to call the file in messages.

    Returns:
        True when nothing is there; False when what is there is to be kept.

    Raises:
        InputDataError: a valid LogLine about another video is there.
        KeyAccessError: something is there that does not verify.
        TemporaryError: what is there cannot be read.
    """
    if verdict.reason is Reason.NOT_FOUND:
        return True
    if verdict.status is Status.NOT_READ:
        raise TemporaryError(
            f"the LogLine {name!r} exists and cannot be read: {verdict.detail}",
            advice="Give the user that runs this access to it (owner and mode of the file).",
        )
    if verdict.document is None:
        raise KeyAccessError(
            f"the LogLine {name!r} exists and does not verify: {verdict.status}, {verdict.reason}",
            advice="Nothing was changed. Look at it with logline_verifier; if its key is missing, add "
            "it to the key store; if it is evidence, move it to a safe place. Then run this again.",
        )
    if not names_video(verdict, video_sha256):
        raise InputDataError(
            f"the LogLine {name!r} is about another video",
            advice="Give this video another output name.",
        )
    return False


def names_video(verdict: Verdict, video_sha256: str) -> bool:
    """Tell whether a valid LogLine is about this video."""
    return _evidence(verdict, "video_sha256") == video_sha256


def names_summary(verdict: Verdict, summary_sha256: str) -> bool:
    """Tell whether a valid LogLine was made from this summary."""
    return _evidence(verdict, "summary_sha256") == summary_sha256


def _evidence(verdict: Verdict, key: str) -> str | None:
    return verdict.document["evidence"][key] if verdict.document else None
