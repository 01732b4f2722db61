"""Finding out what kind of weights a path holds, and what they can see."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from vv_core.errors import ConfigError
from vv_core.models.digest import openvino_digest
from vv_core.utils import compute_sha256

WeightsKind = Literal["openvino", "onnx", "torch"]

DEFAULT_INPUT_PIXELS = 640
_KINDS: dict[str, WeightsKind] = {".xml": "openvino", ".onnx": "onnx", ".pt": "torch"}
_ADVICE = (
    "Set VV_YOLO_MODEL to a folder *_openvino_model, an .xml, .onnx or .pt file of YOLOv8; "
    "make one with: python -m scan_video.export WEIGHTS.pt FOLDER"
)


@dataclass(frozen=True)
class Weights:
    """Weights of a detector.

    Attributes:
        path: the file that a program loads.
        kind: which programs can load it.
        name: for people.
    """

    path: Path
    kind: WeightsKind
    name: str

    def digest(self) -> str:
        """Return a SHA-256 that changes with the weights.

        Of an .onnx or .pt file its own. Of OpenVINO's pair, what this shell line prints:
        ``sha256sum NAME.bin NAME.xml | sha256sum``, run in the folder.
        """
        return openvino_digest(self.path) if self.kind == "openvino" else compute_sha256(self.path)


@dataclass(frozen=True)
class WeightsFacts:
    """What weights say about themselves.

    Attributes:
        names: label of each class number.
        input_pixels: height and width of the input, where the network leaves them open.
    """

    names: dict[int, str]
    input_pixels: tuple[int, int]


def find_weights(path: Path) -> Weights:
    """Return the weights at a path.

    Raises:
        ConfigError: there are none, or of no known kind.
    """
    if path.is_dir():
        candidates = sorted(path.glob("*.xml"))
        if len(candidates) != 1:
            raise ConfigError(f"{str(path)!r} holds no OpenVINO model (one .xml)", advice=_ADVICE)
        return _checked(candidates[0])
    return _checked(path)


def _checked(path: Path) -> Weights:
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise ConfigError(f"{str(path)!r} is no kind of weights known here", advice=_ADVICE)
    needed = [path, path.with_suffix(".bin")] if kind == "openvino" else [path]
    for file in needed:
        if not file.is_file():
            raise ConfigError(f"the weights {str(file)!r} are not there", advice=_ADVICE)
    return Weights(path=path, kind=kind, name=path.stem[:120])


def read_openvino_facts(weights: Weights) -> WeightsFacts:
    """Return what ``metadata.yaml`` beside an OpenVINO model says.

    Raises:
        ConfigError: it is absent or unusable.
    """
    path = weights.path.with_name("metadata.yaml")
    try:
        return parse_facts(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, ValueError, yaml.YAMLError) as exc:
        raise ConfigError(
            f"{str(path)!r} does not say what the weights can see: {exc}",
            advice="Export the weights again; ultralytics writes metadata.yaml beside the model.",
        ) from exc


def parse_facts(raw: Any) -> WeightsFacts:
    """Return facts from the metadata that ultralytics writes (YAML, or text values in ONNX).

    Raises:
        ValueError: names are missing, or the task is not detection.
    """
    if not isinstance(raw, dict):
        raise ValueError("metadata is not a mapping")
    if raw.get("task", "detect") != "detect":
        raise ValueError(f"made for the task {raw['task']!r}, not for detection")
    names = _literal(raw.get("names"))
    if not isinstance(names, dict) or not names:
        raise ValueError("names of the classes are missing")
    pixels = _literal(raw.get("imgsz")) or [DEFAULT_INPUT_PIXELS]
    sides = [int(side) for side in (pixels if isinstance(pixels, list | tuple) else [pixels])]
    return WeightsFacts(
        names={int(number): str(name) for number, name in names.items()},
        input_pixels=(sides[0], sides[-1]),
    )


def _literal(value: Any) -> Any:
    return ast.literal_eval(value) if isinstance(value, str) else value
