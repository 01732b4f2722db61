"""The readable page of a LogLine: a pure function of the signed document.

Text in it comes from file names, camera names and a language model. It is escaped so that no renderer
of Markdown (CommonMark, GitHub) takes it for mark-up, HTML or a link.
"""

from __future__ import annotations

import html
import re
import shlex
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import quote

from logline_generator.logline import RULES_WRITER
from logline_generator.words import WORDS, Words
from vv_core.clock import parse_utc
from vv_core.paths import printable_name

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~!$@])")
_LINK_START = re.compile(r"(:)(?=//)|(?<=\bwww)(\.)", re.IGNORECASE)
_BLOCK_START = re.compile(r"^(\s*)([-+]|\d+(?=[.)]))")


def render_markdown(logline: Mapping[str, Any], zone: tzinfo, file_name: str) -> str:
    """Return the page of a signed LogLine.

    Args:
        logline: a document of ``logline.schema.json``.
        zone: the time zone of its readers.
        file_name: name of the signed file, for the command that verifies it.
    """
    words = WORDS[logline["language"]]
    status = logline["status"].upper()
    rule = words.by_rule.format(rule=escape(logline["status_rule"]))
    blocks = [
        f"# {escape(logline['title'])}",
        f"> {escape_block(logline['this'])}",
        f"**{words.status}: {status}** {rule}",
        _picture(logline, words),
        f"## {words.facts}",
        _table(_facts(logline, words, zone)),
        f"## {words.evidence}",
        _table(_evidence(logline, words)),
        f"## {words.verify}",
        words.verify_text,
        _command(file_name),
    ]
    return "\n\n".join(blocks) + "\n"


def escape(raw_text: str) -> str:
    """Return text as it may stand in a line of Markdown or a cell of a table."""
    text = html.escape(printable_name(" ".join(raw_text.split())), quote=False)
    return _LINK_START.sub(r"\\\g<0>", _SPECIAL.sub(r"\\\1", text))


def escape_block(raw_text: str) -> str:
    """Return text as it may begin a paragraph, where "1." and "-" would begin a list."""
    return _BLOCK_START.sub(_escape_start, escape(raw_text), count=1)


def _escape_start(match: re.Match[str]) -> str:
    marker = match[2]
    # In "1." it is the dot that is escaped; it follows the match.
    return f"{match[1]}\\{marker}" if marker in "-+" else f"{match[1]}{marker}\\"


def _picture(logline: Mapping[str, Any], words: Words) -> str:
    picture = logline["media"]["picture"]
    if picture is None:
        return f"*{words.no_picture}*"
    return f"![{words.picture_of}](../analytic/{quote(picture, safe='/')})"


def _facts(logline: Mapping[str, Any], words: Words, zone: tzinfo) -> list[tuple[str, str]]:
    origin = words.when_origins[logline["when_origin"]]
    start = parse_utc(logline["when"])
    seen = ", ".join(
        words.times.format(count=entity["count"], label=escape(entity["label"]))
        for entity in logline["entities"]
    )
    rows = [
        (words.who, escape(logline["who"])),
        (words.did, escape(logline["did"])),
        (words.when, f"{_local(start, zone, logline['language'])} ({logline['when']}; {origin})"),
        (words.source, escape(logline["source"])),
        (words.duration, _duration(logline["media"]["duration_ms"])),
        (words.seen, seen or words.none_seen),
    ]
    if logline["names"]:
        rows.append((words.names, escape(", ".join(logline["names"]))))
    return [*rows, (words.logged_at, logline["logged_at"]), ("id", logline["id"])]


def _evidence(logline: Mapping[str, Any], words: Words) -> list[tuple[str, str]]:
    evidence, signature = logline["evidence"], logline["signature_details"]
    hashes = {**evidence, "picture_sha256": logline["media"]["picture_sha256"]}
    by_rules = evidence["writer"] == RULES_WRITER
    names = {
        "detector": escape(evidence["detector"]),
        "writer": words.writer_rules if by_rules else escape(evidence["writer"]),
    }
    rows = [
        (pattern.format(**names), f"`{hashes[key]}`" if hashes[key] else "–")
        for key, pattern in words.evidence_rows.items()
    ]
    label = words.signature.format(
        algorithm=signature["algorithm"], key_id=escape(signature["key_id"])
    )
    return [*rows, (label, f"`{signature['signature']}`")]


def _table(rows: list[tuple[str, str]]) -> str:
    lines = [f"| {name} | {value} |" for name, value in rows]
    return "\n".join(["| | |", "|---|---|", *lines])


def _command(file_name: str) -> str:
    """Return the verifying command in a fence that the name cannot close."""
    name = file_name if file_name.isprintable() else ""
    path = shlex.quote(f"data/loglines/{name}")
    longest = max((len(run) for run in re.findall("`+", path)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\npython scripts/logline_verifier.py {path}\n{fence}"


def _local(moment: datetime, zone: tzinfo, language: str) -> str:
    local = moment.astimezone(zone)
    day = f"{local:%d/%m/%Y}" if language == "pt-BR" else f"{local:%Y-%m-%d}"
    offset = local.strftime("%z")
    return f"{day} {local:%H:%M:%S} UTC{offset[:3]}:{offset[3:5]}"


def _duration(milliseconds: int) -> str:
    seconds, fraction = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}.{fraction:03}"
