"""All that looks at pictures, loaded once for a process and shared by its videos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2

from scan_video.detectors import Detector, make_detector
from scan_video.embedded import Gray, motion_view
from scan_video.faces import FaceFinder, dlib_is_installed
from scan_video.observations import Box, Finding
from scan_video.pictures import PICTURE_SIDE
from scan_video.pixels import Image, reduce_frame, upright_image
from vv_core.errors import ConfigError
from vv_core.logs import get_logger
from vv_core.settings import Settings

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from scan_video.recognition import FaceRecogniser

_FACES_CACHE = "face_encodings.json"

_log = get_logger("scan_video")


@dataclass(frozen=True)
class Sight:
    """One picture, looked at.

    Attributes:
        time_s: seconds from the first picture.
        frame: reduced to what pictures for people need, not turned: many may wait for their turn.
        findings: what was found in it, motion not among it yet.
        faces_to_blur: where faces are, also when the analytic is not to name them.
        motion_view: what motion is looked for in; None where that is not done.
    """

    time_s: float
    frame: VideoFrame
    findings: tuple[Finding, ...]
    faces_to_blur: tuple[Box, ...]
    motion_view: Gray | None


class Eyes:
    """Detector, face finder and recogniser. Safe to use on several threads."""

    def __init__(self, settings: Settings) -> None:
        """Load the models.

        Raises:
            ConfigError: a model or program that the settings ask for is missing or unusable.
        """
        # Pictures are looked at on several threads; OpenCV's own would only get in their way.
        cv2.setNumThreads(1)
        self.detector: Detector = make_detector(settings)
        self.is_embedded = self.detector.facts.backend == "embedded"
        self.reports_faces = settings.faces_enabled and dlib_is_installed()
        self._finder = _make_finder(settings)
        self.recogniser = _make_recogniser(settings) if self.reports_faces else None
        self.blurs_faces = settings.blur_faces
        if self.is_embedded:
            _log.warning(
                "no YOLO weights are in use (VV_YOLO_MODEL): the embedded default finds only people "
                "who stand upright, and motion"
            )

    def look(self, time_s: float, frame: VideoFrame, rotation: int) -> Sight:
        """Find what is in a decoded frame.

        Args:
            time_s: seconds from the first picture.
            frame: as decoded.
            rotation: degrees clockwise that it must be turned by.
        """
        image = upright_image(frame, rotation)
        found = self.detector.detect(image)
        faces = self._find_faces(image, found)
        reported = [*found, *faces] if self.reports_faces else found
        return Sight(
            time_s=time_s,
            frame=reduce_frame(frame, PICTURE_SIDE),
            findings=tuple(reported),
            faces_to_blur=tuple(face.box for face in faces) if self.blurs_faces else (),
            motion_view=motion_view(image) if self.is_embedded else None,
        )

    def _find_faces(self, image: Image, found: list[Finding]) -> list[Finding]:
        if self._finder is None:
            return []
        # The embedded detector overlooks most people: then faces are searched without it.
        faces = self._finder.find(image, found, everywhere=self.is_embedded)
        return self.recogniser.name(image, faces) if self.recogniser else faces

    def find_all_faces(self, image: Image) -> list[Box]:
        """Return where faces are in an upright picture, small ones too; slow."""
        return [face.box for face in self._finder.find_everywhere(image)] if self._finder else []


def _make_finder(settings: Settings) -> FaceFinder | None:
    if not settings.faces_enabled and not settings.blur_faces:
        return None
    if dlib_is_installed():
        return FaceFinder()
    if settings.blur_faces or settings.recognise_faces:
        raise ConfigError(
            "faces cannot be found: dlib is not installed",
            advice="Install the scanner's parts (make setup), or unset VV_BLUR_FACES and "
            "VV_RECOGNISE_FACES.",
        )
    _log.warning("dlib is not installed: faces are not looked for")
    return None


def _make_recogniser(settings: Settings) -> FaceRecogniser | None:
    if not settings.recognise_faces:
        return None
    from scan_video.recognition import FaceRecogniser

    return FaceRecogniser(
        folder=settings.resolve(settings.faces_dir),
        cache=settings.storage.scanner_state / _FACES_CACHE,
        tolerance=settings.face_tolerance,
    )
