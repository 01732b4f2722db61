"""``/tv/<tv>/explain``: why a LogLine is on a TV or not, as tv_scheduler wrote it down."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from tv_ui.texts import speak
from vv_core.errors import InputDataError
from vv_core.jsonio import read_json
from vv_core.logs import printable
from vv_core.paths import Storage

SCHEMA = "vv.explain/1"
_MAX_BYTES = 16 * 1024 * 1024
_QUALITY = re.compile(r";\s*q\s*=\s*([0-9.]{1,5})")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "td,th{padding:.2rem 1rem .2rem 0;text-align:left;vertical-align:top}"
)


def read_explanation(storage: Storage, tv: str, logline_id: str | None) -> dict[str, Any]:
    """Return what was written about a TV, or about one LogLine on it.

    Args:
        storage: of this box.
        tv: for which `is_tv` holds.
        logline_id: None: all LogLines that were looked at.

    Raises:
        InputMissingError: nothing was written.
        VvError: it cannot be read, or is something else.
    """
    path = storage.playlists / "explain" / f"{tv}.json"
    document = read_json(path, max_bytes=_MAX_BYTES)
    match document:
        case {"schema": "vv.explain/1", "entries": list(entries)}:
            shown = [each for each in entries if isinstance(each, dict)]
        case _:
            raise InputDataError(
                f"{str(path)!r} explains nothing",
                advice="Remove the file; playlist_manager writes it again.",
            )
    if logline_id is not None:
        shown = [each for each in shown if each.get("logline_id") == logline_id]
    return {**document, "entries": shown}


def wants_html(raw_accept: str | None) -> bool:
    """Tell whether a client would rather have a page than JSON (RFC 9110, 12.5.1; kinds named outright)."""
    wanted = {"text/html": 0.0, "application/json": 0.0}
    for part in (raw_accept or "").split(","):
        kind = part.split(";")[0].strip().lower()
        if kind in wanted:
            quality = _QUALITY.search(part)
            wanted[kind] = _number(quality[1]) if quality else 1.0
    return wanted["text/html"] > wanted["application/json"]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def render_explanation(document: dict[str, Any], tv: str, language: str) -> str:
    """Return it as a page without scripts.

    Args:
        document: from `read_explanation`.
        tv: its name.
        language: "pt-BR" or "en".
    """
    say = speak(language)
    title = say(f"Por que {tv} mostra isto", f"Why {tv} shows this")
    heads = (
        say("Quando", "When"),
        "LogLine",
        say("Na TV", "Shown"),
        say("Motivo", "Reason"),
    )
    rows = "".join(_row(each, language) for each in document["entries"])
    empty = "" if rows else f"<p>{escape(say('Nada a explicar.', 'Nothing to explain.'))}</p>"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1><p>{_cell(document.get('generated'))}</p><table><tr>"
        f"{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr>{rows}</table>{empty}</body></html>"
    )


def _row(entry: dict[str, Any], language: str) -> str:
    texts = entry.get("text")
    text = texts.get(language) if isinstance(texts, dict) else None
    shown = "✓" if entry.get("shown") is True else "✗"
    cells = (entry.get("when"), entry.get("logline_id"), shown, text or entry.get("reason"))
    return f"<tr>{''.join(f'<td>{_cell(each)}</td>' for each in cells)}</tr>"


def _cell(raw: object) -> str:
    return escape(printable(str(raw or "")))
