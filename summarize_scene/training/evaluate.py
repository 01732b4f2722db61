"""Score a model on scenes that it was never trained on: ``python -m summarize_scene.training.evaluate``.

For each scene, in both languages: what the model writes at first, what a second seed mends, what falls
back to the rule-based text, and how long it takes. The same check also gets deliberately wrong texts and
must reject every one. The exit code is 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from summarize_scene.engine import Generation, TextEngine
from summarize_scene.facts import SceneFacts
from summarize_scene.grounding import check
from summarize_scene.llama_engine import LlamaEngine, LlamaOptions
from summarize_scene.number_words import Language
from summarize_scene.problems import Problem
from summarize_scene.prompt import Prompt, load_prompt, packaged_prompt
from summarize_scene.rules_text import Written
from summarize_scene.training.files import MODEL_FOLDER
from summarize_scene.training.scenes import make_scenes
from summarize_scene.training.scores import FORM, MISSING, TARGETS, Scores
from summarize_scene.training.sentence_shapes import sentence_shapes
from summarize_scene.training.wrong_texts import wrong_texts
from summarize_scene.vocabulary import LANGUAGES
from summarize_scene.writer import Draft, parse_answer, write_draft

DEFAULT_MODEL = MODEL_FOLDER / "vv-scene-bitnet-q4_0.gguf"
EVALUATION_SEED = 20_000_003
_TIMEOUT_S = 30.0


class Evaluation:
    """Scores texts; without an engine those of the rules."""

    def __init__(self, engine: TextEngine | None, prompt: Prompt, *, seed: int) -> None:
        self._engine = engine
        self.prompt = prompt
        self._seed = seed
        self.scores = Scores()
        self.samples: list[tuple[str, Written]] = []

    def add(self, facts: SceneFacts, language: Language) -> None:
        """Score the text of one scene, and wrong ones about it."""
        scores = self.scores
        scores.texts += 1
        started = time.perf_counter()
        draft = write_draft(
            facts, language, self._engine, self.prompt, seed=self._seed, timeout_s=_TIMEOUT_S
        )
        scores.seconds.append(time.perf_counter() - started)
        self._add_attempts(draft, facts, language)
        written = draft.written
        kinds = {problem.kind for problem in check(written.title, written.text, facts, language)}
        scores.final_complete += not kinds & MISSING
        scores.final_ungrounded += bool(kinds - MISSING - FORM)
        scores.shapes.update(sentence_shapes(written.text, facts, language))
        self.samples.append((language, written))
        for wrong in wrong_texts(facts, language):
            scores.wrong[wrong.fault] += 1
            scores.wrong_kept[wrong.fault] += not check(wrong.title, wrong.text, facts, language)

    def _add_attempts(self, draft: Draft, facts: SceneFacts, language: Language) -> None:
        """Count what came of each attempt; the rules' text is its own first attempt."""
        scores = self.scores
        if self._engine is None:
            scores.add_first(check(draft.written.title, draft.written.text, facts, language))
            scores.first_kept += 1
            return
        answers = [_answer(tried.generation) for tried in draft.attempts]
        scores.add_first(_problems(answers[0], facts, language))
        scores.tokens += sum(tried.generation.tokens for tried in draft.attempts)
        scores.unfinished += answers.count(None)
        scores.first_kept += draft.by_model and len(answers) == 1
        scores.second_tries += len(answers) > 1
        scores.fallbacks += not draft.by_model


def _answer(generation: Generation) -> Written | None:
    return parse_answer(generation.text) if generation.failure is None else None


def _problems(written: Written | None, facts: SceneFacts, language: Language) -> list[Problem]:
    if written is None:
        return [Problem("cut off", "no answer")]
    return check(written.title, written.text, facts, language)


def evaluate(
    engine: TextEngine | None, scenes: int, *, seed: int, prompt: Prompt | None = None
) -> Evaluation:
    """Return the scores of a model, or of the rules, on so many held-out scenes in each language.

    Without a prompt the model gets the packaged one that it was trained on.
    """
    name = engine.card.prompt if engine is not None else None
    evaluation = Evaluation(engine, prompt or load_prompt(packaged_prompt(name)), seed=seed)
    facts: Iterable[SceneFacts] = islice(make_scenes(EVALUATION_SEED, held_out=True), scenes)
    for scene in tqdm(facts, "scenes", scenes, disable=None):
        for language in LANGUAGES:
            evaluation.add(scene, language)
    return evaluation


def missed_targets(scores: Scores) -> list[str]:
    """Return the targets that the scores miss, in words."""
    return [str(target) for target in TARGETS if not target.is_met(scores)]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns 0 when every target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--rules", action="store_true", help="score the rule-based text instead")
    parser.add_argument("--prompt", type=Path, help="own prompt; see docs/prompts.md")
    parser.add_argument("--context", type=int, default=2048, help="of the model, tokens")
    parser.add_argument("--scenes", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--show", type=int, default=0, help="print so many texts")
    options = parser.parse_args(argv)
    loading = LlamaOptions(options.context, options.threads)
    prompt = load_prompt(options.prompt) if options.prompt else None
    engine = None if options.rules else LlamaEngine(options.model, loading)
    evaluation = evaluate(engine, options.scenes, seed=options.seed, prompt=prompt)
    missed = missed_targets(evaluation.scores)
    report = {
        **evaluation.scores.as_dict(),
        "prompt": evaluation.prompt.sha256,
        "problems_at_first": dict(evaluation.scores.problems.most_common()),
        "wrong_texts_by_fault": dict(evaluation.scores.wrong),
        "missed": missed,
    }
    sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    for language, written in evaluation.samples[: options.show]:
        sys.stdout.write(f"[{language}] {written.title}\n    {written.text}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
