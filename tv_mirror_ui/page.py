"""The page of the mirror, and the policy that lets its own script run and no other."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from vv_core.web_safety import build_policy

PAGE = Path(__file__).with_name("tv_mirror.html")
SMALL_PLACEHOLDER = Path(__file__).with_name("placeholder.png")
"""``fallback/placeholder.png`` at 480 x 270 with 64 colours: it shows when nobody answers any more."""
_INLINED = "__PLACEHOLDER__"
_VERSION = "__PAGE_VERSION__"
_VERSION_CHARS = 16


@dataclass(frozen=True)
class Page:
    """What browsers get.

    Attributes:
        html: the page.
        policy: its Content-Security-Policy.
        version: 16 hexadecimal digits of its hash.
    """

    html: str
    policy: str
    version: str


def load_page(path: Path = PAGE) -> Page:
    """Read the page."""
    picture = base64.b64encode(SMALL_PLACEHOLDER.read_bytes()).decode("ascii")
    text = path.read_text("utf-8").replace(_INLINED, picture)
    version = hashlib.sha256(text.encode()).hexdigest()[:_VERSION_CHARS]
    html = text.replace(_VERSION, version)
    return Page(html, build_policy(html), version)
