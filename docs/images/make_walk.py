"""Draw docs/images/walk.svg: the way of a video through the box.

python docs/images/make_walk.py
"""

from __future__ import annotations

from html import escape
from pathlib import Path

BOXES = (
    ("input/", "a DVR's videos,", "sub-folder = camera", "#64748b"),
    ("scan_video", "YOLOv8 objects, faces,", "best frames with boxes", "#0e7490"),
    ("summarize_scene", "one to three sentences,", "every fact checked", "#4d7c0f"),
    ("logline_generator", "who did this when,", "HMAC-SHA256 signed", "#b45309"),
    ("loglines/", "checked by anyone with", "logline_verifier", "#64748b"),
)
WIDTH, HEIGHT, GAP, MARGIN = 188, 96, 36, 16


def main() -> None:
    """Write the picture beside this script."""
    total = MARGIN * 2 + len(BOXES) * WIDTH + (len(BOXES) - 1) * GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} 190" font-family="sans-serif" '
        'role="img" aria-label="input, scan_video, summarize_scene, logline_generator, loglines">',
        f'<rect width="{total}" height="190" rx="12" fill="#f8fafc"/>',
    ]
    for number, (name, first, second, colour) in enumerate(BOXES):
        left = MARGIN + number * (WIDTH + GAP)
        middle = left + WIDTH // 2
        parts += [
            f'<rect x="{left}" y="20" width="{WIDTH}" height="{HEIGHT}" rx="10" fill="{colour}"/>',
            _text(middle, 52, name, size=17, colour="#ffffff", weight="bold"),
            _text(middle, 78, first, size=13, colour="#ffffff"),
            _text(middle, 96, second, size=13, colour="#ffffff"),
        ]
        if number:
            parts.append(
                f'<path d="M{left - GAP + 6} 68 h{GAP - 16} m-7 -6 l8 6 l-8 6" fill="none" '
                'stroke="#334155" stroke-width="2.5"/>'
            )
    note = (
        "orchestrator.py: exactly once, restarts anywhere, bad videos to corrupted/ with the reason"
    )
    parts += [
        f'<path d="M{MARGIN} 138 h{total - 2 * MARGIN}" stroke="#94a3b8" stroke-width="2"/>',
        _text(total // 2, 164, note, size=15, colour="#334155"),
        "</svg>",
    ]
    Path(__file__).with_name("walk.svg").write_text("\n".join(parts) + "\n", "utf-8")


def _text(x: int, y: int, text: str, *, size: int, colour: str, weight: str = "normal") -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" font-weight="{weight}" '
        f'text-anchor="middle">{escape(text)}</text>'
    )


if __name__ == "__main__":
    main()
