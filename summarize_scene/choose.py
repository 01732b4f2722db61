"""``python -m summarize_scene.choose REQUEST ANSWER``: the local model chooses among given answers.

For programs that need one of a few words and not a text. The grammar allows nothing else, so the answer is one of them
whatever the model is worth; whether it is a good one the caller has to judge. Both files are JSON.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from summarize_scene.engine import Generation, Request, TextEngine
from summarize_scene.engine_process import start_engine
from summarize_scene.engine_wire import CallSampling
from summarize_scene.llama_engine import LlamaOptions
from vv_core.atomic import write_json_atomic
from vv_core.cli import CommandParser, run_command
from vv_core.errors import ConfigError, ExitCode, InputDataError, UnavailableError, from_oserror
from vv_core.jsonio import parse_json, read_json
from vv_core.logs import setup_logging
from vv_core.models.active import active_diagnosis_model
from vv_core.settings import Settings, load_settings

PROG = "choose"
REQUEST_SCHEMA, ANSWER_SCHEMA = "vv.choice/1", "vv.choice-answer/1"
MAX_FACTS_CHARS = 2400
FACTS_ONLY = "fault_compact"
"""The prompt that a model names which was trained for one choice: it knows what is asked, and needs the facts alone."""

_MAX_FIELDS, _MAX_OPTIONS, _MAX_INSTRUCTIONS = 4, 32, 2000
_MAX_BYTES = 64 * 1024
_WORD = re.compile(r"[a-z][a-z_]{0,39}")
_SAMPLING = CallSampling("auto", 96, 0.0, 1.0, 1, 1.0)
"""The likeliest answer, and the same one each time."""
_KEYS = {"schema", "instructions", "facts", "fields"}


@dataclass(frozen=True)
class Choice:
    """What is asked.

    Attributes:
        instructions: what the model is told to do.
        facts: what it shall judge; data, cut to `MAX_FACTS_CHARS`.
        fields: in this order; name and the words that it may have.
    """

    instructions: str
    facts: str
    fields: tuple[tuple[str, tuple[str, ...]], ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Let the local language model choose among given answers.")
    parser.add_argument("request", type=Path, metavar="REQUEST", help="JSON: what is asked")
    parser.add_argument("answer", type=Path, metavar="ANSWER", help="JSON: what was chosen")
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments.request, arguments.answer, arguments.verbose), PROG)


def _run(request: Path, answer: Path, verbosity: int) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), verbosity)
    choice = parse_choice(read_json(request, max_bytes=_MAX_BYTES))
    document = choose(settings, choice)
    try:
        write_json_atomic(answer, document)
    except OSError as exc:
        raise from_oserror(exc, "write the answer", answer) from exc
    return ExitCode.OK


def parse_choice(document: Any) -> Choice:
    """Return what a request asks.

    Raises:
        InputDataError: it is none.
    """
    problem = _problem_of(document)
    if problem:
        raise InputDataError(
            f"the request is none: {problem}", advice=f"Write it as {REQUEST_SCHEMA} says."
        )
    return Choice(
        document["instructions"],
        document["facts"][:MAX_FACTS_CHARS],
        tuple((field["name"], tuple(field["options"])) for field in document["fields"]),
    )


def _problem_of(document: Any) -> str:
    if not isinstance(document, dict) or document.keys() != _KEYS:
        return "other keys"
    if document["schema"] != REQUEST_SCHEMA:
        return "another schema"
    texts = (document["instructions"], document["facts"])
    if not all(isinstance(text, str) for text in texts) or len(texts[0]) > _MAX_INSTRUCTIONS:
        return "instructions and facts must be texts"
    fields = document["fields"]
    if not isinstance(fields, list) or not 0 < len(fields) <= _MAX_FIELDS:
        return "too few or too many fields"
    return next((problem for field in fields if (problem := _problem_of_field(field))), "")


def _problem_of_field(field: Any) -> str:
    if not isinstance(field, dict) or field.keys() != {"name", "options"}:
        return "a field has other keys"
    options = field["options"]
    if not isinstance(options, list) or not 0 < len(options) <= _MAX_OPTIONS:
        return "too few or too many options"
    words = [field["name"], *options]
    if not all(isinstance(word, str) and _WORD.fullmatch(word) for word in words):
        return "names and options are words of a to z and _"
    return ""


def build_choice_grammar(choice: Choice) -> str:
    """Return the GBNF whose only texts are JSON objects of the given words."""
    parts, rules = [], []
    for number, (name, options) in enumerate(choice.fields):
        # A rule's name may hold letters and hyphens only.
        rule = f"field-{'abcd'[number]}"
        parts.append(f'"\\"{name}\\":\\"" {rule} "\\""')
        rules.append(f"{rule} ::= " + " | ".join(f'"{option}"' for option in options))
    body = ' "," '.join(parts)
    return "\n".join([f'root ::= "{{" {body} "}}"', *rules, ""])


def ask(engine: TextEngine, choice: Choice, *, seed: int, timeout_s: float) -> Generation:
    """Let a model choose; whatever it answers follows the grammar."""
    request, grammar = _request(choice, engine.card.prompt), build_choice_grammar(choice)
    return engine.generate(request, grammar, _SAMPLING, seed=seed, timeout_s=timeout_s)


def choose(settings: Settings, choice: Choice) -> dict[str, Any]:
    """Ask the model; return the answer's document.

    Raises:
        ConfigError: there is no model, or none that runs.
        UnavailableError: it did not answer.
    """
    model = active_diagnosis_model(settings)
    if model is None:
        raise ConfigError(
            "there is no language model to ask",
            advice="Install llama-cpp-python (room summarizer), or set VV_MONITOR_MODEL=false.",
        )
    options = LlamaOptions(
        settings.summary_context, settings.summary_threads, settings.summary_gpu_layers
    )
    engine = start_engine(model, options, settings.summary_memory_mb)
    try:
        card = engine.card
        generation = ask(
            engine, choice, seed=settings.summary_seed, timeout_s=settings.summary_timeout_s
        )
    finally:
        engine.close()
    if generation.failure is not None:
        raise UnavailableError(
            f"the model did not choose: {generation.failure}",
            advice="Look at VV_SUMMARY_TIMEOUT_SECONDS and VV_SUMMARY_MEMORY_MB, or do without.",
        )
    return {
        "schema": ANSWER_SCHEMA,
        "choice": parse_json(generation.text.encode("utf-8")),
        "model": card.model,
        "model_hash": card.model_hash,
        "elapsed_s": round(generation.elapsed_s, 3),
    }


def facts_only(facts: str) -> str:
    """Return the whole prompt of a model that was trained for one choice."""
    return f"{facts}\n\n"


def _request(choice: Choice, prompt: str | None) -> Request:
    if prompt == FACTS_ONLY:
        return Request("", choice.facts, facts_only(choice.facts))
    lines = [f"{name}: {', '.join(options)}" for name, options in choice.fields]
    system = "\n".join([choice.instructions, "Answer in JSON with these words only:", *lines])
    return Request(system, choice.facts, f"{system}\n\n{choice.facts}\n\n")


if __name__ == "__main__":
    sys.exit(main())
