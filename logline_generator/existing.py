"""What to do when a LogLine is there already: the decision, without files."""

from __future__ import annotations

from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.errors import InputDataError, KeyAccessError, TemporaryError


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
