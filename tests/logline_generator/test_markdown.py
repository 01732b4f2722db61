from __future__ import annotations

import html
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logline_generator.markdown import escape, escape_block, render_markdown
from logline_generator.words import WORDS
from tests.audit.samples import signed_logline
from vv_core.paths import printable_name

ZONE = ZoneInfo("America/Sao_Paulo")
NAME = "20261121_020304.logline.json"

EXPECTED = """\
# Duas pessoas e uma mochila na portaria

> Entre 02:03:04 e 02:03:40 foram vistas no máximo 2 pessoas ao mesmo tempo, com uma mochila.

**Situação: ALERTA** pela regra “pessoas à noite”

![Imagem do vídeo, com o que foi visto](../analytic/20261121_020304.pictures/best-person.jpg)

## Fatos

| | |
|---|---|
| Quem | Câmera portaria, equipamento vv-01 |
| Fez | viu pessoas |
| Quando | 21/11/2026 02:03:04 UTC-03:00 (2026-11-21T05:03:04Z; hora do nome do arquivo) |
| Vídeo | portaria/20261121\\_020304.mp4 |
| Duração | 0:00:39.962 |
| Rótulos (máximo ao mesmo tempo) | 2 × person, 1 × backpack |
| Registrado em | 2026-11-21T05:10:30Z |
| id | 20261121T050304Z-a1a1a1a1a1a1 |

## Provas (SHA-256)

"""


def render(name: str = NAME, **changes: Any) -> str:
    return render_markdown(signed_logline(**changes), ZONE, name)


def test_the_page_in_portuguese() -> None:
    page = render()
    assert page.startswith(EXPECTED)
    assert f"| vídeo | `{'a1' * 32}` |" in page
    assert "| autor do texto (regras) | – |" in page
    assert page.endswith(
        "```sh\npython scripts/logline_verifier.py "
        "data/loglines/20261121_020304.logline.json\n```\n"
    )


def test_the_page_in_english() -> None:
    page = render(language="en", names=["Ana"], entities=[])
    assert "**Status: ALERTA** by the rule “pessoas à noite”" in page
    assert "| When | 2026-11-21 02:03:04 UTC-03:00 (2026-11-21T05:03:04Z; time in" in page
    assert "| Recognised | Ana |" in page
    assert "| Labels (most at the same time) | nothing |" in page
    assert "## How to verify" in page


def test_both_languages_say_the_same() -> None:
    assert WORDS.keys() == {"pt-BR", "en"}
    first, second = WORDS.values()
    assert first.evidence_rows.keys() == second.evidence_rows.keys()
    assert first.when_origins.keys() == second.when_origins.keys()


def test_a_model_is_named() -> None:
    evidence = signed_logline()["evidence"] | {"writer": "bit_net.gguf", "model_sha256": "0" * 64}
    assert f"| autor do texto (bit\\_net.gguf) | `{'0' * 64}` |" in render(evidence=evidence)


def media(**changes: Any) -> dict[str, Any]:
    return {**signed_logline()["media"], **changes}


def test_a_picture_with_any_name_is_one_link() -> None:
    page = render(media=media(picture="a b.pictures/best (1) [x] é%.jpg"))
    link = "../analytic/a%20b.pictures/best%20%281%29%20%5Bx%5D%20%C3%A9%25.jpg"
    assert f"![Imagem do vídeo, com o que foi visto]({link})" in page


def test_without_a_picture() -> None:
    page = render(media=media(picture=None, picture_sha256=None))
    assert "![" not in page
    assert "Sem imagem" in page
    assert "| imagem | – |" in page


def test_a_long_duration() -> None:
    assert "| Duração | 27:46:40.001 |" in render(media=media(duration_ms=100_000_001))


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("a b.logline.json", "'data/loglines/a b.logline.json'"),
        ("it's.logline.json", "'data/loglines/it'\"'\"'s.logline.json'"),
        ("$(reboot).logline.json", "'data/loglines/$(reboot).logline.json'"),
        ("a\nb.logline.json", "data/loglines/"),
        ("\x1b[0m.logline.json", "data/loglines/"),
        ("-v.logline.json", "data/loglines/-v.logline.json"),
    ],
)
def test_the_command_is_safe_to_paste(name: str, command: str) -> None:
    assert f"```sh\npython scripts/logline_verifier.py {command}\n```\n" in render(name)


def test_a_name_cannot_close_the_fence() -> None:
    page = render("```.logline.json")
    assert (
        "\n````sh\npython scripts/logline_verifier.py 'data/loglines/```.logline.json'\n````\n"
        in page
    )


HOSTILE = [
    "<script>alert(1)</script>",
    "[click](http://evil.example)",
    "![x](http://evil.example/x.png)",
    "http://evil.example www.evil.example WWW.EVIL.EXAMPLE",
    "**bold** _em_ `code` ~~gone~~ # title",
    "a | b || c",
    "&lt;b&gt; &amp;",
    "1. one",
    "- item",
    "+ item",
    "12) item",
    "> quote",
    "# title",
    "``` fence",
    "--- ===",
    "back\\slash \\` \\| end\\",
    "line\nbreak\r\n\n# title",
    "esc \x1b[31m rtl \u202e sep \u2028",
    "[ref]: http://evil.example",
    "<!-- comment",
    "$math$ @user",
    "---",
    "    code",
]


def shown(text: str) -> str:
    """Return how a text looks once its white space is joined."""
    return printable_name(" ".join(text.split()))


@pytest.mark.parametrize("text", HOSTILE)
def test_untrusted_text_stays_text(text: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    renderer = markdown_it.MarkdownIt("gfm-like", {"linkify": False}).enable("table")
    page = render(title=text, this=text, source=text, who=text, did=text, names=[text, text])
    shown_html = renderer.render(page)
    assert shown_html.count("<h1>") == 1
    assert shown_html.count("<h2>") == 3
    assert shown_html.count("<table>") == 2
    assert shown_html.count("<img") == 1
    for tag in ("<a", "<script", "<em", "<s>", "<li", "<hr", "<!--", "<br"):
        assert tag not in shown_html
    assert shown_html.count("<strong") == 1
    cells = [html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", shown_html)]
    assert cells[cells.index("Vídeo") + 1] == shown(text)
    quote = re.search(r"<blockquote>\s*<p>(.*?)</p>", shown_html, re.DOTALL)
    assert quote is not None
    assert html.unescape(quote[1]) == shown(text)


@given(st.text(max_size=30))
def test_any_text_is_one_printable_line(text: str) -> None:
    for escaped in (escape(text), escape_block(text)):
        assert "\n" not in escaped
        assert "<" not in escaped
        assert printable_name(escaped) == escaped


def test_links_of_github_are_broken_up() -> None:
    assert escape("https://a.b www.c.d 02:03") == "https\\://a.b www\\.c.d 02:03"
