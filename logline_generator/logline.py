"""Building a LogLine from a summary: the decision, without files, keys or clocks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import PurePosixPath
from typing import Any, Final

from logline_generator.rules import Rule, Scene
from logline_generator.words import WORDS, Words
from vv_core.clock import format_utc, parse_utc
from vv_core.errors import InputDataError
from vv_core.paths import printable_name

SCHEMA = "vv.logline/2"
RULES_WRITER = "rules"
"""Who wrote a text that no model wrote."""

_MAX_WHO = 300
_MAX_DID = 200
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
_PEOPLE: Final = frozenset({"person", "face"})


@dataclass(frozen=True)
class Context:
    """What a LogLine says beside its summary.

    Attributes:
        summary_sha256: of the exact bytes of the summary.
        rules_sha256: of the rule file that gave the status.
        rule: the rule that gave it.
        box: name of this box.
        logged_at: aware time of writing.
    """

    summary_sha256: str
    rules_sha256: str
    rule: Rule
    box: str
    logged_at: datetime


def make_scene(summary: Mapping[str, Any], zone: tzinfo) -> Scene:
    """Return what the status rules may ask about a summary (``summary.schema.json``).

    Raises:
        InputDataError: the start is not a time that exists.
    """
    return Scene(
        counts=_counts(summary),
        names=tuple(summary["names"]),
        camera=summary["source"]["camera"],
        start=_start(summary).astimezone(zone),
        detector="embedded" if summary["detector"]["embedded_default"] else "yolo",
        text_by=summary["grounding"]["path"],
    )


def build_logline(summary: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return the LogLine of a summary, not yet signed and without its place in the log.

    ``who`` is the witness (camera and box), ``did`` what it did, ``this`` the text of the summary, so
    that the three read as a sentence in the summary's language.

    Args:
        summary: a valid summary.
        context: everything else.

    Raises:
        InputDataError: the summary holds a time or a number that no LogLine can carry.
    """
    source = summary["source"]
    when = format_utc(_start(summary))
    compact = when.replace("-", "").replace(":", "")
    words = WORDS[summary["language"]]
    return {
        "schema": SCHEMA,
        "id": f"{compact}-{summary['source_hash'][:12]}",
        "who": _who(words, source["camera"], context.box),
        "did": _did(words, summary),
        "this": printable_name(summary["text"]),
        "when": when,
        "status": context.rule.status,
        "source": printable_name(source["file"]),
        "title": printable_name(summary["title"]),
        "language": summary["language"],
        "when_origin": source["start_origin"],
        "status_rule": context.rule.name,
        "entities": [
            {"label": printable_name(label), "count": count}
            for label, count in _counts(summary).items()
        ],
        "names": [printable_name(name) for name in summary["names"]],
        "media": _media(summary),
        "evidence": _evidence(summary, context),
        "logged_at": format_utc(context.logged_at),
    }


def _who(words: Words, camera: str, box: str) -> str:
    pattern = words.camera_of_box if camera else words.box
    return _shorten(printable_name(pattern.format(camera=camera, box=box)), _MAX_WHO)


def _did(words: Words, summary: Mapping[str, Any]) -> str:
    labels = _counts(summary)
    if summary["names"]:
        names = ", ".join(summary["names"])
        return _shorten(printable_name(words.recognised.format(names=names)), _MAX_DID)
    if labels.keys() & _PEOPLE:
        return words.saw_people
    if any(fact["type"] == "object" for fact in summary["facts"]):
        return words.saw_objects
    return words.saw_motion if labels else words.saw_nothing


def _media(summary: Mapping[str, Any]) -> dict[str, Any]:
    source = summary["source"]
    picture = choose_picture(summary["pictures"], (fact["label"] for fact in summary["facts"]))
    return {
        "camera": printable_name(source["camera"]),
        "bytes": source["bytes"],
        "duration_ms": _milliseconds(source["duration_s"]),
        "picture": picture["file"] if picture else None,
        "picture_sha256": picture["sha256"] if picture else None,
    }


def _evidence(summary: Mapping[str, Any], context: Context) -> dict[str, Any]:
    detector, engine = summary["detector"], summary["engine"]
    # A model whose text was not kept wrote nothing: it is no author.
    by_model = summary["grounding"]["path"] == "model"
    return {
        "video_sha256": summary["source_hash"],
        "analytic_sha256": summary["analytic_hash"],
        "summary_sha256": context.summary_sha256,
        "detector": printable_name(detector["name"]),
        "detector_sha256": detector["weights_hash"],
        "writer": printable_name((by_model and engine["model"]) or RULES_WRITER),
        "model_sha256": engine["model_hash"] if by_model else None,
        "prompt_sha256": engine["prompt_hash"] if by_model else None,
        "rules_sha256": context.rules_sha256,
    }


def choose_picture(
    pictures: Iterable[Mapping[str, Any]], labels: Iterable[str]
) -> Mapping[str, Any] | None:
    """Return the picture that stands for a video.

    The best frame of the first label that has one, else the contact sheet. A file that does not lie
    below the folder of the analytic is never chosen.

    Args:
        pictures: of the summary.
        labels: of its facts, the most telling first.
    """
    safe = [picture for picture in pictures if _is_below(picture["file"])]
    best = {picture["label"]: picture for picture in safe if picture["kind"] == "best"}
    sheets = [picture for picture in safe if picture["kind"] == "contact_sheet"]
    return next((best[label] for label in labels if label in best), None) or next(
        iter(sheets), None
    )


def _is_below(raw_path: str) -> bool:
    path = PurePosixPath(raw_path)
    is_plain = printable_name(raw_path) == raw_path and "\\" not in raw_path
    return is_plain and not path.is_absolute() and ".." not in path.parts


def _counts(summary: Mapping[str, Any]) -> dict[str, int]:
    """Return the most seen at the same time, by label, in the order of the facts."""
    counts: dict[str, int] = {}
    for fact in summary["facts"]:
        counts[fact["label"]] = max(fact["count"], counts.get(fact["label"], 0))
    return counts


def _start(summary: Mapping[str, Any]) -> datetime:
    raw_start = summary["source"]["start"]
    try:
        start = parse_utc(raw_start)
    except ValueError:
        raise _no_time(raw_start) from None
    # Beyond these years no time zone can be applied.
    if not _FIRST_YEAR <= start.year <= _LAST_YEAR:
        raise _no_time(raw_start)
    return start


def _no_time(raw_start: str) -> InputDataError:
    return InputDataError(
        f"the summary's start is not a time that a recording can have: {raw_start!r}",
        advice="Check VV_START_PATTERNS and the clock of the camera, then scan the video again.",
    )


def _milliseconds(seconds: float) -> int:
    if not math.isfinite(seconds):
        raise InputDataError(
            "the summary's duration is not a finite number",
            advice="Remove the analytic and the summary; they are made again on the next cycle.",
        )
    return round(seconds * 1000)


def _shorten(text: str, max_characters: int) -> str:
    return text if len(text) <= max_characters else f"{text[: max_characters - 1]}…"
