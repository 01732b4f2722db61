"""The status page: `box_status` as one plain page without scripts."""

from __future__ import annotations

from html import escape
from typing import Any

from tv_ui.texts import Say, speak, state_text
from vv_core.logs import printable

REFRESH_S = 30
_GIB = 1024**3
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{padding:.2rem 1rem .2rem 0;text-align:left;vertical-align:top}"
    ".bad{color:#b00020}.good{color:#1b5e20}"
)


def render_page(status: dict[str, Any], language: str) -> str:
    """Return the page.

    Args:
        status: from `collect_box_status`.
        language: "pt-BR" or "en".
    """
    say = speak(language)
    state = (
        f'<p class="bad">{say("Há problemas", "There are problems")}</p>'
        if status["problems"]
        else f'<p class="good">{say("Tudo funciona", "All is well")}</p>'
    )
    blocks = [
        _list(status["problems"]),
        _table(_pipeline_rows(status["pipeline"], say)),
        _heading(say("Playlists", "Playlists")),
        _table(
            [
                (name, f"{each['items']} {say('itens', 'items')}")
                for name, each in (status["playlists"] or {}).items()
            ]
        ),
        _heading(say("TVs", "TVs")),
        _table([_screen_row(each, say) for each in status["tvs"]]),
        f'<p><a href="/setup">{say("Configurar uma TV", "Set up a TV")}</a></p>',
        _heading(say("Serviços", "Services")),
        _table(
            [
                (name, each["problem"] or f"ok, {each['age_s']} s")
                for name, each in status["services"].items()
            ]
        ),
        _heading(say("Registro provável", "Provable log")),
        _table([(name, str(value)) for name, value in (status["log"] or {}).items()]),
        _heading(say("Alertas", "Alerts")),
        _list([_alert_text(alert) for alert in reversed(status["alerts"])]),
    ]
    title = f"{_text(status['box'])} · VV-Video-AI-System"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="{REFRESH_S}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{title}</h1><p>{_text(status['time'])}</p>{state}{''.join(blocks)}</body></html>"
    )


def _screen_row(screen: dict[str, Any], say: Say) -> tuple[str, str]:
    shown = f"{state_text(screen['state'], say)} {screen['logline_id'] or ''}".strip()
    heard = say(f"há {screen['age_s']} s", f"{screen['age_s']} s ago")
    parts = (screen["problem"], shown, heard, *screen["errors"])
    return f"{screen['tv']} / {screen['screen']}", " · ".join(part for part in parts if part)


def _pipeline_rows(pipeline: dict[str, Any] | None, say: Say) -> list[tuple[str, str]]:
    if pipeline is None:
        return []
    cycle = pipeline["last_cycle"]
    free = (
        f"{pipeline['disk_free_bytes'] / _GIB:.1f} / {pipeline['disk_total_bytes'] / _GIB:.1f} GiB"
    )
    done = f"{cycle['done']}/{cycle['found']}, {cycle['duration_s']:.1f} s" if cycle else "–"
    return [
        (say("Fila", "Queue"), str(pipeline["queued"])),
        (say("Para tentar de novo", "To be tried again"), str(pipeline["retrying"])),
        (say("Quarentena", "Quarantine"), str(pipeline["quarantined"])),
        (say("Último ciclo", "Last cycle"), done),
        (say("Disco livre", "Disk free"), free),
    ]


def _alert_text(alert: dict[str, object]) -> str:
    head = f"{alert.get('time', '')} {alert.get('severity', '')}"
    return f"{head} {alert.get('message', '')} → {alert.get('advice', '')}"


def _heading(text: str) -> str:
    return f"<h2>{_text(text)}</h2>"


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{_text(head)}</th><td>{_text(text)}</td></tr>" for head, text in rows)
    return f"<table>{cells}</table>" if rows else "<p>–</p>"


def _list(texts: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{_text(text)}</li>' for text in texts)}</ul>" if texts else ""


def _text(raw_text: object) -> str:
    return escape(printable(str(raw_text)))
