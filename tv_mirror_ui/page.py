"""The page of the mirror, and the policy that lets its own script run and no other."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).with_name("tv_mirror.html")
SMALL_PLACEHOLDER = Path(__file__).with_name("placeholder.png")
"""``fallback/placeholder.png`` at 480 x 270 with 64 colours: it shows when nobody answers any more."""
_INLINED = "__PLACEHOLDER__"
_VERSION = "__PAGE_VERSION__"
_VERSION_CHARS = 16
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


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
    policy = (
        f"default-src 'none'; script-src {_hashes(_SCRIPT, html)}; style-src {_hashes(_STYLE, html)}; "
        "img-src 'self' blob: data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return Page(html, policy, version)


def _hashes(pattern: re.Pattern[str], html: str) -> str:
    digests = (hashlib.sha256(each.encode()).digest() for each in pattern.findall(html))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
