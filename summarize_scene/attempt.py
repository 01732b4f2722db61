"""One attempt of a model at one scene: facts to prompt and grammar, and its text back."""

from __future__ import annotations

from dataclasses import replace

from summarize_scene.engine import Generation, TextEngine
from summarize_scene.facts import SceneFacts
from summarize_scene.grammar import build_grammar
from summarize_scene.number_words import Language
from summarize_scene.prompt import Prompt, render_request
from summarize_scene.stand_ins import disguise


def attempt(
    facts: SceneFacts,
    language: Language,
    engine: TextEngine,
    prompt: Prompt,
    *,
    seed: int,
    timeout_s: float,
) -> Generation:
    """Let a model write once about a scene.

    Returns:
        What it wrote, not checked yet; a prompt that asks for stand-ins has the names back in place.
    """
    disguised = disguise(facts) if prompt.head.names == "stand-ins" else None
    shown = disguised.facts if disguised else facts
    generation = engine.generate(
        render_request(prompt, shown, language),
        build_grammar(shown, language),
        prompt.head,
        seed=seed,
        timeout_s=timeout_s,
    )
    if disguised is None:
        return generation
    return replace(generation, text=disguised.restore(generation.text))
