"""``/setup``: tells a person how to make a TV show what the box has."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from tv_ui.texts import Say, speak

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HTTP_PORT = 80
_STYLE = (
    "body{font:18px/1.6 system-ui,sans-serif;margin:2rem auto;max-width:52rem;padding:0 1rem;color:#102}"
    "code,kbd{background:#e8eef2;padding:.1rem .4rem;border-radius:.3rem;overflow-wrap:anywhere}"
    "pre{background:#e8eef2;padding:.8rem;border-radius:.3rem;white-space:pre-wrap}"
    "td,th{padding:.2rem 1.5rem .2rem 0;text-align:left;vertical-align:middle}"
    ".warn{border-left:.4rem solid #b00020;padding-left:1rem}svg{width:11rem;height:11rem}"
)


@dataclass(frozen=True)
class SetupFacts:
    """What the page tells of this box.

    Attributes:
        hosts: names and addresses that browsers may call the box by; the first that is not this machine's own is told.
        port: that the person who reads the page came by.
        tvs: names of the playlists.
    """

    hosts: Sequence[str]
    port: int
    tvs: Sequence[str]


def outside_hosts(hosts: Sequence[str]) -> list[str]:
    """Return the hosts by which other machines may call the box; patterns are no names."""
    return [host for host in hosts if host not in LOOPBACK and "*" not in host]


def tv_address(host: str, port: int, tv: str, language: str) -> str:
    """Return what to type into a TV's browser."""
    place = host if port == _HTTP_PORT else f"{host}:{port}"
    asked = "" if language == "pt-BR" else f"&lang={language}"
    return f"http://{place}/tv.html?tv={quote(tv)}{asked}"


def draw_address(address: str) -> str:
    """Return an address as a QR code, an SVG element to stand in a page."""
    import segno

    stream = io.BytesIO()
    code = segno.make_qr(address, error="m")
    code.save(
        stream,
        kind="svg",
        xmldecl=False,
        svgns=False,
        border=4,
        light="#fff",
        scale=4,
        omitsize=True,
    )
    return stream.getvalue().decode("ascii")


def render_setup(facts: SetupFacts, language: str) -> str:
    """Return the page, without scripts.

    Args:
        facts: about this box.
        language: "pt-BR" or "en".
    """
    say = speak(language)
    title = say("Configurar uma TV", "Set up a TV")
    other = say('<a href="?lang=en">English</a>', '<a href="?lang=pt-BR">Português</a>')
    blocks = (
        _addresses(facts, language, say),
        _steps(say),
        _keys(say),
        _options(say),
        _kiosk(facts, say),
        f'<p><a href="/">{escape(say("Estado da caixa", "Status of the box"))}</a> · {other}</p>',
    )
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{''.join(blocks)}</body></html>"
    )


def _addresses(facts: SetupFacts, language: str, say: Say) -> str:
    outside = outside_hosts(facts.hosts)
    tvs = facts.tvs or ["tv1"]
    host = (outside or ["localhost"])[0]
    rows = "".join(_address_row(tv_address(host, facts.port, tv, language), tv) for tv in tvs)
    others = [
        f"<code>{escape(tv_address(each, facts.port, tvs[0], language))}</code>"
        for each in outside[1:]
    ]
    also = f"<p>{say('Ou também', 'Or else')}: {', '.join(others)}</p>" if others else ""
    warning = "" if outside else _closed(say)
    heading = say("1. O endereço de cada TV", "1. The address of each TV")
    return f"<h2>{heading}</h2>{warning}<table>{rows}</table>{also}"


def _address_row(address: str, tv: str) -> str:
    link = f'<a href="{escape(address)}"><code>{escape(address)}</code></a>'
    return f"<tr><th>{escape(tv)}</th><td>{link}</td><td>{draw_address(address)}</td></tr>"


def _closed(say: Say) -> str:
    text = say(
        "As TVs da rede ainda não alcançam esta caixa: ela só responde a si mesma. No arquivo .env da caixa, com o "
        "endereço dela na rede, escreva as linhas abaixo e rode install.sh de novo.",
        "TVs in the network do not reach this box yet: it answers itself alone. Put these lines into the box's .env, "
        "with its address in the network, and run install.sh again.",
    )
    lines = (
        "TV_API_BIND=0.0.0.0\nVV_TV_API_HOSTS=localhost,127.0.0.1,[::1],192.168.1.20\n"
        f"# {say('sem Docker, em vez da primeira linha', 'without Docker, instead of the first line')}:\n"
        "VV_TV_API_LISTEN=0.0.0.0:8000"
    )
    return f'<div class="warn"><p>{escape(text)}</p><pre>{escape(lines)}</pre></div>'


def _steps(say: Say) -> str:
    steps = (
        say(
            "Na TV, abra o navegador e digite o endereço; ou leia o código com o celular e envie-o à TV.",
            "Open the TV's browser and type the address; or read the code with a phone and send it to the TV.",
        ),
        say(
            "Deixe a página em tela cheia e faça dela a página inicial do navegador.",
            "Show the page in full screen, and make it the browser's home page.",
        ),
        say(
            "Desligue na TV o protetor de tela, a economia de energia e o desligamento automático.",
            "Switch the TV's screen saver, energy saving and automatic power-off off.",
        ),
        say(
            "Em um minuto a TV aparece em / e em /tvs; se parar, há um alerta.",
            "Within a minute the TV stands in / and /tvs; when it stops, there is an alert.",
        ),
    )
    items = "".join(f"<li>{escape(step)}</li>" for step in steps)
    return f"<h2>{say('2. Na TV', '2. At the TV')}</h2><ol>{items}</ol>"


def _keys(say: Say) -> str:
    keys = (
        ("→ ↓ ⏭ CH+", say("o próximo", "the next one")),
        ("← ↑ ⏮ CH−", say("o anterior", "the one before")),
        ("OK", say("tira e põe a legenda", "takes the caption away, and puts it back")),
        (
            "INFO / I",
            say("mostra o que a página sabe de si", "shows what the page knows about itself"),
        ),
    )
    rows = "".join(
        f"<tr><td><kbd>{key}</kbd></td><td>{escape(what)}</td></tr>" for key, what in keys
    )
    return f"<h2>{say('Controle remoto', 'Remote control')}</h2><table>{rows}</table>"


def _options(say: Say) -> str:
    options = (
        ("&lang=en", say("textos em inglês", "texts in English")),
        ("&dim=22-6", say("escurece das 22 às 6 horas", "dims from 22:00 to 6:00")),
        ("&mb=128", say("guarda até 128 MB de vídeos", "holds up to 128 MB of clips")),
        (
            "&single=1",
            say("para TVs que só tocam um vídeo por vez", "for TVs that play one video at a time"),
        ),
    )
    rows = "".join(
        f"<tr><td><code>{escape(key)}</code></td><td>{escape(what)}</td></tr>"
        for key, what in options
    )
    return f"<h2>{say('No fim do endereço', 'At the end of the address')}</h2><table>{rows}</table>"


def _kiosk(facts: SetupFacts, say: Say) -> str:
    host = (outside_hosts(facts.hosts) or ["192.168.1.20"])[0]
    text = say(
        "Um Raspberry Pi ou mini PC com Linux e Chromium mostra a TV sozinho, reinicia o navegador quando a imagem "
        "para e volta depois de faltar luz. Nele, com o usuário da tela:",
        "A Raspberry Pi or mini PC with Linux and Chromium shows the TV by itself, starts its browser again when the "
        "picture stands still, and comes back after a power cut. On it, as the user of the screen:",
    )
    port = facts.port
    lines = (
        f"scp -r {say('USUARIO', 'USER')}@{host}:/opt/vv-video-ai-system/deploy/kiosk .\n"
        f"bash kiosk/setup.sh http://{host}:{port} {(facts.tvs or ['tv1'])[0]}"
    )
    heading = say("Sem navegador na TV", "No browser in the TV")
    return f"<h2>{heading}</h2><p>{escape(text)}</p><pre>{escape(lines)}</pre>"
