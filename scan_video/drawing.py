"""Drawing on pictures: boxes with labels, blurred faces, contact sheets."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from scan_video.observations import Box, Finding, corners
from scan_video.pixels import Image

JPEG_QUALITY = 85
_COLOURS = (
    (66, 135, 245),
    (60, 180, 75),
    (240, 130, 40),
    (170, 80, 220),
    (220, 60, 90),
    (0, 160, 170),
)
_FACE_COLOUR = (250, 200, 30)
_TEXT_COLOUR = (255, 255, 255)
_SHEET_COLUMNS = 4
_SHEET_GAP = 4
_CAPTION_HEIGHT = 20
_BLUR_MARGIN = 0.25
_BLUR_BLOCKS = 6


def draw_findings(image: Image, findings: Iterable[Finding]) -> Image:
    """Return a copy of a picture with boxes and their labels."""
    canvas = PillowImage.fromarray(np.ascontiguousarray(image[..., ::-1]))
    draw = ImageDraw.Draw(canvas)
    line = max(2, canvas.width // 400)
    font = _font(max(12, canvas.width // 60))
    for finding in sorted(findings, key=lambda one: one.confidence):
        colour = _FACE_COLOUR if finding.kind == "face" else colour_of(finding.label)
        box = corners(finding.box, canvas.width, canvas.height)
        draw.rectangle(box, outline=colour, width=line)
        _draw_label(
            draw, box, f"{finding.name or finding.label} {finding.confidence:.0%}", colour, font
        )
    return _to_image(canvas)


def colour_of(label: str) -> tuple[int, int, int]:
    """Return the colour of a label, the same on every picture; red first."""
    return _COLOURS[sum(label.encode("utf-8", "replace")) % len(_COLOURS)]


def _draw_label(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    text: str,
    colour: tuple[int, int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    plain = plain_letters(text)
    left, _, right, bottom = draw.textbbox((0, 0), plain, font=font)
    width, height = int(right - left) + 6, int(bottom) + 4
    x = max(min(box[0], int(draw.im.size[0]) - width), 0)
    y = box[1] - height if box[1] >= height else box[1]
    draw.rectangle((x, y, x + width, y + height), fill=colour)
    draw.text((x + 3, y + 1), plain, font=font, fill=_TEXT_COLOUR)


def plain_letters(text: str) -> str:
    """Return text without accents: the font that comes with Pillow knows ASCII only."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(
        char if char.isascii() else "?" for char in parts if not unicodedata.combining(char)
    )


@lru_cache(maxsize=8)
def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(pixels)


def blur_boxes(image: Image, boxes: Iterable[Box]) -> Image:
    """Return a copy of a picture in which nobody can be recognised inside the boxes.

    Each box with a margin becomes a few large blocks; a mere blur can be undone.
    """
    result = image.copy()
    height, width = image.shape[:2]
    for box in boxes:
        left, top, right, bottom = corners(box, width, height)
        margin_x, margin_y = (right - left) * _BLUR_MARGIN, (bottom - top) * _BLUR_MARGIN
        x, y = max(int(left - margin_x), 0), max(int(top - margin_y), 0)
        part = result[y : int(bottom + margin_y) + 1, x : int(right + margin_x) + 1]
        if part.size:
            blocks = cv2.resize(part, (_BLUR_BLOCKS, _BLUR_BLOCKS), interpolation=cv2.INTER_AREA)
            size = (part.shape[1], part.shape[0])
            part[:] = cv2.resize(blocks, size, interpolation=cv2.INTER_NEAREST)
    return result


def draw_contact_sheet(thumbnails: Sequence[tuple[str, Image]]) -> Image:
    """Return one picture of many small ones with captions.

    Args:
        thumbnails: caption and picture, all of one size; at least one.
    """
    height, width = thumbnails[0][1].shape[:2]
    columns = min(_SHEET_COLUMNS, len(thumbnails))
    rows = -(-len(thumbnails) // columns)
    cell_width, cell_height = width + _SHEET_GAP, height + _CAPTION_HEIGHT + _SHEET_GAP
    sheet = PillowImage.new(
        "RGB", (columns * cell_width + _SHEET_GAP, rows * cell_height + _SHEET_GAP)
    )
    draw = ImageDraw.Draw(sheet)
    for place, (caption, image) in enumerate(thumbnails):
        x = _SHEET_GAP + place % columns * cell_width
        y = _SHEET_GAP + place // columns * cell_height
        sheet.paste(PillowImage.fromarray(np.ascontiguousarray(image[..., ::-1])), (x, y))
        draw.text(
            (x + 2, y + height + 3), plain_letters(caption), font=_font(13), fill=_TEXT_COLOUR
        )
    return _to_image(sheet)


def _to_image(canvas: PillowImage.Image) -> Image:
    return np.ascontiguousarray(np.asarray(canvas)[..., ::-1])


def encode_jpeg(image: Image) -> bytes:
    """Return a picture as a JPEG file."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data.tobytes()
