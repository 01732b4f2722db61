"""The head as a QR code, for the TV and the status page: whoever photographs it holds a witness.

The code holds the signed note itself, so any scanner shows the text that ``logline_verifier --head`` takes.
"""

from __future__ import annotations

import io
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from vv_core.atomic import write_bytes_atomic
from vv_core.errors import ConfigError, InputDataError, from_oserror
from vv_core.tlog.heads import add_to_png

if TYPE_CHECKING:
    import segno

MAX_QR_BYTES = 2331
"""What a QR code takes at error level M (ISO/IEC 18004, version 40)."""
_QUIET_ZONE = 4


def draw_png(note: bytes, module_pixels: int = 6) -> bytes:
    """Return a PNG file of the QR code of a note; the note stands in the file's text as well.

    Raises:
        InputDataError: the note is too long.
        ConfigError: `segno` is not installed.
    """
    stream = io.BytesIO()
    _make_code(note).save(stream, kind="png", scale=module_pixels, border=_QUIET_ZONE)
    return add_to_png(stream.getvalue(), note)


def draw_svg(note: bytes) -> bytes:
    """Return an SVG file of the QR code of a note; the note stands in its description as well.

    Raises:
        InputDataError: the note is too long.
        ConfigError: `segno` is not installed.
    """
    stream = io.BytesIO()
    code = _make_code(note)
    code.save(stream, kind="svg", scale=4, border=_QUIET_ZONE, dark="#000", light="#fff")
    head, mark, rest = stream.getvalue().partition(b"><")
    desc = f"<desc>{escape(note.decode('utf-8'), quote=False)}</desc>".encode()
    return head + b">" + desc + mark[1:] + rest


def write_pictures(note: bytes, base: Path) -> list[Path]:
    """Write ``<base>.png`` and ``<base>.svg``, whole, and return their paths.

    Raises:
        VvError: the note is too long, `segno` is missing, or a file cannot be written.
    """
    pictures = {base.with_suffix(".png"): draw_png(note), base.with_suffix(".svg"): draw_svg(note)}
    for path, data in pictures.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes_atomic(path, data)
        except OSError as exc:
            raise from_oserror(exc, "write the QR code", path) from exc
    return list(pictures)


def _make_code(note: bytes) -> segno.QRCode:
    try:
        import segno
    except ImportError:
        raise ConfigError(
            "QR codes cannot be drawn: the package segno is not installed",
            advice="Run bootstrap.py again, or: pip install segno",
        ) from None
    if len(note) > MAX_QR_BYTES:
        raise InputDataError(
            f"the head has {len(note)} bytes, and a QR code takes {MAX_QR_BYTES}",
            advice="Use fewer witnesses, or vv-log witness usb.",
        )
    # Bytes as they are; an ECI header would make some scanners show other characters.
    return segno.make_qr(note, error="m", mode="byte", boost_error=False)
