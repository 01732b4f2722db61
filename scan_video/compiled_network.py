"""Compiled OpenVINO networks, kept between starts: loading one takes a fifth of the time of compiling.

A file holds the SHA-256 of the rest and what OpenVINO exports. Its name is made of everything that the
result depends on (weights, OpenVINO, processor, options), so that a change of any of them compiles anew.
What cannot be read, or does not match its hash, is compiled again; a folder that cannot be written to is
done without.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vv_core.atomic import write_bytes_atomic
from vv_core.errors import ConfigError
from vv_core.logs import get_logger

# OpenVINO's package imports its model converter, and with that a client for telemetry, where they are
# installed. Neither is of use here, nothing leaves the box, and without them it starts in half the time.
sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]

try:
    import openvino  # type: ignore[import-untyped]
except ImportError as exc:
    raise ConfigError(
        "OpenVINO is not installed",
        advice="Install the scanner's parts (make setup), or unset VV_YOLO_MODEL.",
    ) from exc

__all__ = ["MAX_KEPT", "SUFFIX", "keep", "load_compiled", "openvino", "read_kept"]

SUFFIX = ".compiled"
MAX_KEPT = 4
MAX_BYTES = 512 * 1024 * 1024
_DEVICE = "CPU"
_HASH_BYTES = hashlib.sha256().digest_size

_log = get_logger("scan_video")
_DAMAGED = {"fields": {"event": "cache_damaged"}}
"""A word for programs that read the log."""


def load_compiled(
    path: Path,
    digest: str,
    input_pixels: tuple[int, int],
    options: Mapping[str, Any],
    folder: Path | None,
) -> openvino.CompiledModel:
    """Return a compiled network, from the last time where that is possible.

    Args:
        path: the network, ``.xml``.
        digest: of the weights.
        input_pixels: height and width, where the network leaves them open.
        options: for OpenVINO.
        folder: where compiled networks are kept; None to keep none.

    Raises:
        RuntimeError: OpenVINO cannot load it.
    """
    core = openvino.Core()
    if folder is None:
        return _compile(core, path, input_pixels, options)
    kept = folder / f"{_key(core, digest, input_pixels, options)}{SUFFIX}"
    data = read_kept(kept)
    if data is not None:
        try:
            return core.import_model(data, _DEVICE, dict(options))
        except RuntimeError as exc:
            _log.warning("a compiled network is made anew: %s", str(exc)[:200], extra=_DAMAGED)
    compiled = _compile(core, path, input_pixels, options)
    keep(kept, compiled.export_model().getvalue())
    return compiled


def _compile(
    core: openvino.Core, path: Path, input_pixels: tuple[int, int], options: Mapping[str, Any]
) -> openvino.CompiledModel:
    model = core.read_model(path)
    if model.is_dynamic():
        model.reshape([1, 3, *input_pixels])
    return core.compile_model(model, _DEVICE, dict(options))


def _key(
    core: openvino.Core, digest: str, input_pixels: tuple[int, int], options: Mapping[str, Any]
) -> str:
    parts = [
        digest,
        input_pixels,
        dict(options),
        openvino.get_version(),
        core.get_property(_DEVICE, "FULL_DEVICE_NAME"),
        sorted(core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def read_kept(path: Path) -> bytes | None:
    """Return what was kept; None when there is nothing, or not what was written."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as exc:
        _log.warning("a compiled network cannot be read: %s", exc.strerror)
        return None
    if hashlib.sha256(data[_HASH_BYTES:]).digest() != data[:_HASH_BYTES]:
        _log.warning("a compiled network is damaged, and is made anew", extra=_DAMAGED)
        return None
    return data[_HASH_BYTES:]


def keep(path: Path, data: bytes) -> None:
    """Keep a compiled network, and no more than `MAX_KEPT`; only time is lost where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomic(path, hashlib.sha256(data).digest() + data)
        others = sorted(path.parent.glob(f"*{SUFFIX}"), key=lambda other: other.stat().st_mtime_ns)
        for other in others[:-MAX_KEPT]:
            other.unlink(missing_ok=True)
    except OSError as exc:
        _log.info("the compiled network is not kept: %s", exc.strerror)
