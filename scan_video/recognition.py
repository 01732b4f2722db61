"""Recognising enrolled people with face_recognition; imported only when that is switched on."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from scan_video.observations import Finding, corners
from scan_video.pixels import Image, shrink
from vv_core.atomic import write_json_atomic
from vv_core.errors import ConfigError, InputMissingError, VvError, from_oserror
from vv_core.jsonio import read_json
from vv_core.logs import get_logger
from vv_core.paths import printable_name
from vv_core.utils import compute_sha256

Encoding = npt.NDArray[np.float64]
"""128 numbers that describe a face (dlib's face recognition network)."""

_PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
_ENROLLED_SIDE = 1200
_ENCODING_NUMBERS = 128
_CACHE_FORMAT = "vv.face-encodings/1"
_MAX_NAME = 120

_log = get_logger("scan_video")


@dataclass(frozen=True)
class Match:
    """The enrolled person nearest to a face."""

    name: str
    distance: float


class EnrolledPeople:
    """The faces of the people enrolled, ready to compare."""

    def __init__(self, encodings: Mapping[str, list[Encoding]]) -> None:
        self._names = [name for name, known in encodings.items() for _ in known]
        self._matrix = np.array([one for known in encodings.values() for one in known])
        self.count = sum(1 for known in encodings.values() if known)

    def match(self, encoding: Encoding, tolerance: float) -> Match | None:
        """Return the nearest person within ``tolerance``, Euclidean distance of encodings."""
        if not self._names:
            return None
        distances = np.linalg.norm(self._matrix - encoding, axis=1)
        nearest = int(distances.argmin())
        if distances[nearest] > tolerance:
            return None
        return Match(self._names[nearest], float(distances[nearest]))


class FaceRecogniser:
    """Names faces. Safe to use on several threads; they wait for each other."""

    def __init__(self, folder: Path, cache: Path, tolerance: float) -> None:
        """Learn the people enrolled.

        Args:
            folder: holds a folder for each person, named as the person, with pictures in it.
            cache: file that remembers encodings by the hash of their picture.
            tolerance: largest distance of a match.

        Raises:
            ConfigError: face_recognition is not installed.
        """
        self._library = _load_library()
        self._lock = threading.Lock()
        self._tolerance = tolerance
        self._people = EnrolledPeople(self._learn(folder, cache))
        self.enrolled = self._people.count

    def name(self, image: Image, faces: list[Finding]) -> list[Finding]:
        """Return the faces, those of enrolled people with name and distance."""
        if not faces or not self.enrolled:
            return faces
        return [self._named(image, face) for face in faces]

    def _named(self, image: Image, face: Finding) -> Finding:
        height, width = image.shape[:2]
        left, top, right, bottom = corners(face.box, width, height)
        margin = max(right - left, bottom - top)
        x, y = max(left - margin, 0), max(top - margin, 0)
        part = np.ascontiguousarray(image[y : bottom + margin, x : right + margin, ::-1])
        with self._lock:
            place = (top - y, right - x, bottom - y, left - x)
            encodings = self._library.face_encodings(part, [place])
        match = self._people.match(encodings[0], self._tolerance) if encodings else None
        return replace(face, name=match.name, distance=match.distance) if match else face

    def _learn(self, folder: Path, cache: Path) -> dict[str, list[Encoding]]:
        remembered = _read_cache(cache)
        used: dict[str, list[float]] = {}
        people: dict[str, list[Encoding]] = {}
        for name, picture in _enrolled_pictures(folder):
            digest = compute_sha256(picture)
            if digest not in remembered:
                remembered[digest] = self._encode(picture)
            used[digest] = remembered[digest]
            if used[digest]:
                people.setdefault(name, []).append(np.array(used[digest]))
            else:
                _log.warning(
                    "no face found in the enrolled picture %s", printable_name(str(picture))
                )
        if not people:
            _log.warning("nobody is enrolled in %s: nobody can be recognised", folder)
        _write_cache(cache, used, remembered)
        return people

    def _encode(self, picture: Path) -> list[float]:
        """Return the encoding of the largest face of a picture; empty without a face."""
        image = _read_picture(picture)
        places = self._library.face_locations(image) if image is not None else []
        if image is None or not places:
            return []
        largest = max(places, key=lambda place: (place[2] - place[0]) * (place[1] - place[3]))
        return [float(x) for x in self._library.face_encodings(image, [largest])[0]]


def _load_library() -> Any:
    try:
        with warnings.catch_warnings():
            # face_recognition_models uses pkg_resources, which announces its end on every import.
            warnings.simplefilter("ignore")
            import face_recognition  # type: ignore[import-untyped]
    except (ImportError, SystemExit) as exc:
        raise ConfigError(
            f"face_recognition cannot be used: {exc}",
            advice="Install the scanner's parts (make setup), or set VV_RECOGNISE_FACES=false.",
        ) from exc
    return face_recognition


def _enrolled_pictures(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield names and pictures, sorted, from ``<folder>/<name>/<picture>``."""
    if not folder.is_dir():
        return
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        for picture in sorted(person.iterdir()):
            if picture.suffix.lower() in _PICTURES and picture.is_file():
                yield printable_name(person.name)[:_MAX_NAME], picture


def _read_picture(path: Path) -> npt.NDArray[np.uint8] | None:
    """Return a picture, upright, red first; None with a warning when it cannot be read."""
    # Not Pillow's open: ultralytics, when it is in use, replaces that in the whole process.
    try:
        image = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error) as exc:
        _log.warning("the enrolled picture %s cannot be read: %s", printable_name(str(path)), exc)
        return None
    if image is None:
        _log.warning("the enrolled picture %s is no picture", printable_name(str(path)))
        return None
    reduced = shrink(image.astype(np.uint8, copy=False), _ENROLLED_SIDE)
    return np.ascontiguousarray(reduced[..., ::-1])


def _read_cache(path: Path) -> dict[str, list[float]]:
    """Return remembered encodings; what is unusable is forgotten."""
    try:
        document = read_json(path)
    except InputMissingError:
        return {}
    except VvError as exc:
        _log.warning("the cache of faces is made anew: %s", exc)
        return {}
    if not isinstance(document, dict) or document.get("format") != _CACHE_FORMAT:
        return {}
    encodings = document.get("encodings")
    return {
        str(digest): encoding
        for digest, encoding in (encodings if isinstance(encodings, dict) else {}).items()
        if _is_encoding(encoding)
    }


def _is_encoding(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in {0, _ENCODING_NUMBERS}
        and all(isinstance(number, float) for number in value)
    )


def _write_cache(
    path: Path, used: dict[str, list[float]], remembered: dict[str, list[float]]
) -> None:
    """Remember what is enrolled now; people who were removed are forgotten."""
    if used.keys() == remembered.keys() and path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json_atomic(path, {"format": _CACHE_FORMAT, "encodings": used}, mode=0o600)
    except OSError as exc:
        raise from_oserror(exc, "remember the enrolled faces", path) from exc
