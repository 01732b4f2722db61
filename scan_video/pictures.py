"""The pictures that go with an analytic: the best one of each label, and a contact sheet.

While a video is looked at, only references to decoded frames are kept; drawing is done once, at the
end, for what won.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from scan_video.drawing import blur_boxes, draw_contact_sheet, draw_findings, encode_jpeg
from scan_video.observations import Box, Finding, Kind
from scan_video.pixels import Image, reduce_frame, shrink, upright_image
from vv_core.atomic import fsync_directory, write_bytes_atomic

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

MAX_BEST = 12
PICTURE_SIDE = 1280
FOLDER_SUFFIX = ".pictures"
_MAX_LABELS = 64
_THUMBNAIL_SIDE = 320
_MAX_THUMBNAILS = 12
_SHEET_NAME = "contact-sheet.jpg"

FindFaces = Callable[[Image], Sequence[Box]]


@dataclass(frozen=True)
class Picture:
    """A picture beside an analytic.

    Attributes:
        file: relative to the folder of the analytic.
        label, timestamp: of the best pictures; None for a contact sheet.
    """

    kind: Literal["best", "contact_sheet"]
    file: str
    sha256: str
    label: str | None
    timestamp: float | None


@dataclass(frozen=True)
class _Candidate:
    score: float
    time_s: float
    frame: VideoFrame
    findings: tuple[Finding, ...]


class PictureKeeper:
    """Keeps what the pictures of one video are made from; takes its looks in order."""

    def __init__(self, expected: int, rotation: int) -> None:
        """Prepare.

        Args:
            expected: number of pictures that will be looked at.
            rotation: degrees clockwise that a frame must be turned by.
        """
        self._every = max(1, -(-expected // _MAX_THUMBNAILS))
        self._rotation = rotation
        self._seen = 0
        self._best: dict[tuple[Kind, str], _Candidate] = {}
        self._thumbnails: list[tuple[str, Image]] = []

    def offer(
        self, time_s: float, frame: VideoFrame, findings: tuple[Finding, ...], faces: Sequence[Box]
    ) -> None:
        """Consider one picture.

        Args:
            time_s, frame, findings: of the look.
            faces: to be blurred in the contact sheet.
        """
        scores: dict[tuple[Kind, str], float] = {}
        for finding in findings:
            key = (finding.kind, finding.label)
            scores[key] = scores.get(key, 0.0) + finding.confidence
        winners = [key for key, score in scores.items() if self._wins(key, score)]
        if winners:
            kept = reduce_frame(frame, PICTURE_SIDE)
            for key in winners:
                self._best[key] = _Candidate(scores[key], time_s, kept, findings)
        if self._seen % self._every == 0:
            self._add_thumbnail(time_s, frame, faces)
        self._seen += 1

    def _wins(self, key: tuple[Kind, str], score: float) -> bool:
        best = self._best.get(key)
        if best is None:
            return len(self._best) < _MAX_LABELS
        return score > best.score

    def _add_thumbnail(self, time_s: float, frame: VideoFrame, faces: Sequence[Box]) -> None:
        image = shrink(
            upright_image(reduce_frame(frame, 2 * _THUMBNAIL_SIDE), self._rotation), _THUMBNAIL_SIDE
        )
        self._thumbnails.append((clock_text(time_s), blur_boxes(image, faces)))

    def save(self, folder: Path, stem: str, find_faces: FindFaces | None) -> list[Picture]:
        """Draw and write the pictures, each whole or not at all.

        Args:
            folder: of the analytic.
            stem: of the analytic's name; the pictures go to ``<stem>.pictures/``.
            find_faces: when given, what it finds is blurred.

        Raises:
            OSError: they cannot be written.
        """
        target = folder / f"{stem}{FOLDER_SUFFIX}"
        target.mkdir(exist_ok=True)
        fsync_directory(folder)
        best = sorted(self._best.items(), key=lambda entry: -entry[1].score)[:MAX_BEST]
        names = unique_names([f"best-{kind}-{label}" for (kind, label), _ in best])
        pictures = [
            _save_best(target / f"{name}.jpg", label, candidate, self._rotation, find_faces)
            for name, ((_, label), candidate) in zip(names, best, strict=True)
        ]
        if self._thumbnails:
            data = encode_jpeg(draw_contact_sheet(self._thumbnails))
            write_bytes_atomic(target / _SHEET_NAME, data)
            pictures.append(_describe(target / _SHEET_NAME, data))
        return pictures


def remove_left_overs(folder: Path, stem: str, pictures: Iterable[Picture]) -> None:
    """Remove pictures of an earlier scan that the analytic no longer names."""
    named = {Path(picture.file).name for picture in pictures}
    target = folder / f"{stem}{FOLDER_SUFFIX}"
    for path in target.iterdir():
        if path.name not in named:
            path.unlink(missing_ok=True)


def clock_text(seconds: float) -> str:
    """Return a time as 1:02:03 or 2:03."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def unique_names(raw_names: Sequence[str]) -> list[str]:
    """Return names that are safe for files, all different."""
    names: list[str] = []
    for raw in raw_names:
        name = re.sub(r"[^a-z0-9]+", "-", raw.lower()).strip("-")[:60] or "best"
        names.append(name if name not in names else f"{name}-{len(names)}")
    return names


def _save_best(
    path: Path,
    label: str,
    candidate: _Candidate,
    rotation: int,
    find_faces: FindFaces | None,
) -> Picture:
    image = shrink(upright_image(candidate.frame, rotation), PICTURE_SIDE)
    if find_faces is not None:
        known = [finding.box for finding in candidate.findings if finding.kind == "face"]
        image = blur_boxes(image, [*known, *find_faces(image)])
    data = encode_jpeg(draw_findings(image, candidate.findings))
    write_bytes_atomic(path, data)
    return _describe(path, data, label, candidate.time_s)


def _describe(
    path: Path, data: bytes, label: str | None = None, time_s: float | None = None
) -> Picture:
    return Picture(
        kind="contact_sheet" if label is None else "best",
        file=f"{path.parent.name}/{path.name}",
        sha256=hashlib.sha256(data).hexdigest(),
        label=label,
        timestamp=None if time_s is None else round(time_s, 3),
    )
