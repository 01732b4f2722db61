"""The prompt: an external, versioned file, and the facts of a scene put into it.

A prompt file has TOML front matter between two lines ``+++`` (name, version, how to apply it and how to
sample) and sections that begin with a line ``@@ <role> <language>``. Roles: ``system``, ``user`` (chat
models) and ``plain`` (models without a chat template); a file with ``chat = "plain"`` needs only the last.
``{{facts}}`` stands for the facts, one line of JSON in which every name is a quoted string, cleaned and
cut (see `display`): data, not instructions. ``{{compact}}`` stands for the same in the short form that our
own small models are trained on (see `compact_facts`).

With ``names = "stand-ins"`` the model sees no name that somebody chose (see `stand_ins`).

A model may say in its GGUF which packaged prompt it was trained on (``vv.prompt``); any other gets
`DEFAULT_PROMPT`.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from summarize_scene.compact_facts import render_compact
from summarize_scene.display import display_camera, display_person
from summarize_scene.engine import Request
from summarize_scene.facts import LabelFact, SceneFacts
from summarize_scene.number_words import Language
from summarize_scene.phrases import span
from summarize_scene.surfaces import counted_fact, one_per_surface
from summarize_scene.times import clock_text, duration_text
from summarize_scene.vocabulary import LANGUAGES
from vv_core.errors import ConfigError

DEFAULT_PROMPT = "scene_summarizer"
_FOLDER = Path(__file__).resolve().parent / "prompts"
PACKAGED_PROMPT = _FOLDER / f"{DEFAULT_PROMPT}.prompt"
MAX_PROMPT_BYTES = 64 * 1024
MAX_LABELS = 12
MAX_NAMES = 8

Role = Literal["system", "user", "plain"]
ROLES: tuple[Role, ...] = ("system", "user", "plain")
_FACTS, _COMPACT = "{{facts}}", "{{compact}}"
_PACKAGED_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_PLACEHOLDER = re.compile(f"{re.escape(_FACTS)}|{re.escape(_COMPACT)}")
_SECTION = re.compile(r"^@@ (\S+) (\S+)$", re.MULTILINE)
_FRONT = re.compile(r"\A\+\+\+\n(.*?)\n\+\+\+\n", re.DOTALL)
_ADVICE = "Correct the file named in VV_PROMPT_FILE, or leave that empty to use the shipped prompt."


class PromptHead(BaseModel):
    """The front matter of a prompt file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=60)
    version: str = Field(min_length=1, max_length=60)
    chat: Literal["auto", "plain"] = "auto"
    names: Literal["as-written", "stand-ins"] = "as-written"
    max_tokens: int = Field(default=320, ge=16, le=2048)
    temperature: float = Field(default=0.3, ge=0, le=2)
    top_p: float = Field(default=0.9, gt=0, le=1)
    top_k: int = Field(default=40, ge=0)
    repeat_penalty: float = Field(default=1.0, ge=0.5, le=2)


@dataclass(frozen=True)
class Prompt:
    """A prompt file.

    Attributes:
        head: its front matter.
        sha256: hash of the whole file.
        sections: templates by role and language.
    """

    head: PromptHead
    sha256: str
    sections: Mapping[tuple[str, str], str]


def packaged_prompt(name: str | None) -> Path:
    """Return the file of a packaged prompt; without a name, of the one for any model.

    Raises:
        ConfigError: there is none of that name.
    """
    path = _FOLDER / f"{name or DEFAULT_PROMPT}.prompt"
    if name is not None and (not _PACKAGED_NAME.fullmatch(name) or not path.is_file()):
        raise ConfigError(
            f"the model asks for the prompt {name!r}, which this version does not have",
            advice="Update the product, or choose another model in VV_SUMMARY_MODEL.",
        )
    return path


def load_prompt(path: Path) -> Prompt:
    """Read and check a prompt file.

    Raises:
        ConfigError: it is absent, too large, or not a prompt file.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_PROMPT_BYTES + 1)
    except OSError as exc:
        raise _wrong(path, f"cannot be read: {exc.strerror}") from exc
    if len(data) > MAX_PROMPT_BYTES:
        raise _wrong(path, f"is larger than {MAX_PROMPT_BYTES} bytes")
    try:
        return parse_prompt(data)
    except (ValueError, ValidationError) as exc:
        raise _wrong(path, f"is not a prompt file: {exc}") from exc


def parse_prompt(data: bytes) -> Prompt:
    """Return the prompt that a file's content holds.

    Raises:
        ValueError: it is not one; pydantic's and tomllib's errors are ValueErrors too.
    """
    text = data.decode("utf-8").replace("\r\n", "\n")
    front = _FRONT.match(text)
    if front is None:
        raise ValueError("front matter between two lines +++ is missing")
    head = PromptHead.model_validate(tomllib.loads(front.group(1)))
    pieces = _SECTION.split(text[front.end() :])
    sections = {
        (role, language): body.strip("\n")
        for role, language, body in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True)
    }
    needed: tuple[Role, ...] = ("plain",) if head.chat == "plain" else ROLES
    for role in needed:
        for language in LANGUAGES:
            if (role, language) not in sections:
                raise ValueError(f"section '@@ {role} {language}' is missing")
            body = sections[role, language]
            if role != "system" and _FACTS not in body and _COMPACT not in body:
                raise ValueError(f"section '@@ {role} {language}' lacks {_FACTS}")
    return Prompt(head, hashlib.sha256(data).hexdigest(), sections)


def render_request(prompt: Prompt, facts: SceneFacts, language: Language) -> Request:
    """Return the prompt with the facts of a scene in it."""
    forms = {_FACTS: render_facts, _COMPACT: render_compact}

    def fill(role: Role) -> str:
        # One pass: what a name brings in is never taken for a placeholder.
        body = prompt.sections.get((role, language), "")
        return _PLACEHOLDER.sub(lambda found: forms[found.group()](facts, language), body)

    return Request(fill("system"), fill("user"), fill("plain"))


def render_facts(facts: SceneFacts, language: Language) -> str:
    """Return the facts as one line of JSON, phrased as the text may phrase them."""
    seen = one_per_surface(facts.labels)
    known = list(dict.fromkeys(display_person(fact.name).text for fact in facts.names))
    document: dict[str, Any] = {
        "camera": display_camera(facts.camera).text,
        "time": clock_text(facts.start, language),
        "time_is_certain": facts.start_is_certain,
        "length": duration_text(facts.duration_s, language),
        "seen": [_render_label(fact, language) for fact in seen[:MAX_LABELS]],
        "more_kinds": max(0, len(seen) - MAX_LABELS),
        "known_people": known[:MAX_NAMES],
        "more_known_people": max(0, len(known) - MAX_NAMES),
        "warning": bool(facts.alerts),
        "basic_detector": facts.embedded_default,
        "complete": facts.is_complete,
    }
    return json.dumps(document, ensure_ascii=False)


def _render_label(fact: LabelFact, language: Language) -> dict[str, Any]:
    first, last = span(fact)
    entry: dict[str, Any] = {"what": counted_fact(fact, language), "first": first, "last": last}
    if fact.is_throughout:
        entry["throughout"] = True
    if fact.different is not None and fact.different > fact.count:
        entry["different"] = fact.different
    return entry


def _wrong(path: Path, reason: str) -> ConfigError:
    return ConfigError(f"the prompt {str(path)!r} {reason}", advice=_ADVICE)
