"""The page: one small file, its own script alone, its placeholder inside."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from tv_mirror_ui.page import PAGE, SMALL_PLACEHOLDER, load_page

ROOT = Path(__file__).resolve().parents[2]


def test_only_its_own_script_and_style_run() -> None:
    page = load_page()
    for tag in ("script", "style"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", page.html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in page.policy
    assert "default-src 'none'" in page.policy
    assert "unsafe" not in page.policy


def test_it_needs_nothing_from_elsewhere_and_is_small() -> None:
    html = load_page().html
    assert "http://" not in html
    assert "https://" not in html
    assert "//cdn" not in html
    assert "__" not in html
    assert len(html) < 30_000


def test_another_page_has_another_version(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGE.read_text("utf-8") + "\n", "utf-8")
    assert load_page(path).version != load_page().version
    assert f'content="{load_page().version}"' in load_page().html


def test_the_small_placeholder_looks_like_the_large_one() -> None:
    small = Image.open(SMALL_PLACEHOLDER).convert("RGB")
    large = Image.open(ROOT / "fallback" / "placeholder.png").convert("RGB").resize(small.size)
    difference = ImageStat.Stat(ImageChops.difference(small, large)).mean
    assert max(difference) < 6
    encoded = base64.b64encode(SMALL_PLACEHOLDER.read_bytes()).decode()
    assert encoded in load_page().html
    assert Image.open(io.BytesIO(base64.b64decode(encoded))).format == "PNG"


def test_no_script_newer_than_2017() -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", PAGE.read_text("utf-8"), re.DOTALL)
    for newer in (r"\?\.", r"\?\?", r"catch \{", r"\.\.\.[a-z]", r"\.flat\(", r"\.at\("):
        assert not re.search(newer, script), newer
