"""Export a trained checkpoint, score it, and write the card that says what produced the file.

``python -m summarize_scene.training.model_card`` after a training (`train` ends with it).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from summarize_scene.llama_engine import LlamaEngine, LlamaOptions
from summarize_scene.training.corpus import PROMPT_NAME, prompt_hash
from summarize_scene.training.evaluate import EVALUATION_SEED, evaluate, missed_targets
from summarize_scene.training.export import ModelName, Packing, export_gguf
from summarize_scene.training.files import CHECKPOINT, DEFAULT_FOLDER, LOG, MODEL_FOLDER, TOKENIZER
from summarize_scene.training.model import BitNet, ModelConfig
from summarize_scene.training.schedule import TrainingPlan
from summarize_scene.training.tokenizer import load_tokenizer, vocabulary_of
from vv_core.atomic import write_text_atomic
from vv_core.utils import compute_sha256

MODEL_NAME, MODEL_VERSION = "vv-scene-bitnet", "1.0.0"
_PACKINGS: tuple[Packing, ...] = ("Q4_0", "TQ2_0")
_SHIPPED: Packing = "Q4_0"
_LAST_LOSSES = 10


@dataclass(frozen=True)
class Trained:
    """A checkpoint that was read.

    Attributes:
        plan: what it was trained by.
        step: how far.
        loss: mean of the last recorded ones.
    """

    model: BitNet
    plan: TrainingPlan
    step: int
    loss: float


def load_trained(folder: Path) -> Trained:
    """Return the network in a training's folder, ternary as it is shipped."""
    state = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)
    plan = TrainingPlan(**state["plan"])
    vocabulary = state["model"]["embedding.weight"].shape[0]
    model = BitNet(
        ModelConfig(vocabulary, plan.dim, plan.layers, plan.heads, plan.feed_forward, plan.context)
    )
    model.load_state_dict(state["model"])
    model.set_blend(1.0)
    return Trained(model.eval(), plan, state["step"], _last_loss(folder / LOG))


def export_all(trained: Trained, folder: Path, output: Path) -> dict[Packing, Path]:
    """Write the model in every packing; returns the files.

    Only the one that is shipped goes to ``output``; the others stay with the training.
    """
    vocabulary = vocabulary_of(load_tokenizer(folder / TOKENIZER))
    name = ModelName(MODEL_NAME, MODEL_VERSION, PROMPT_NAME)
    paths = {
        packing: (output if packing == _SHIPPED else folder)
        / f"{MODEL_NAME}-{packing.lower()}.gguf"
        for packing in _PACKINGS
    }
    for packing, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        export_gguf(path, trained.model, vocabulary, name, packing)
    return paths


def write_card(trained: Trained, paths: Mapping[Packing, Path], output: Path, scenes: int) -> bool:
    """Score every file and write ``model_card.md``; returns whether the shipped one meets its targets."""
    reports = {packing: _score(path, scenes) for packing, path in paths.items()}
    write_text_atomic(output / "model_card.md", card_text(trained, paths, reports, scenes))
    return not reports[_SHIPPED]["missed"]


def _score(path: Path, scenes: int) -> dict[str, Any]:
    engine = LlamaEngine(path, LlamaOptions(context=1024))
    try:
        scores = evaluate(engine, scenes, seed=7).scores
    finally:
        engine.close()
    return {**scores.as_dict(), "missed": missed_targets(scores)}


def card_text(
    trained: Trained,
    paths: Mapping[Packing, Path],
    reports: Mapping[Packing, Mapping[str, Any]],
    scenes: int,
) -> str:
    """Return the model card, Markdown."""
    files = [
        f"| `{path.name}` | {packing} | {path.stat().st_size} | `{compute_sha256(path)}` |"
        for packing, path in paths.items()
    ]
    figures = [
        f"| {figure} | " + " | ".join(_figure(report[figure]) for report in reports.values()) + " |"
        for figure in next(iter(reports.values()))
    ]
    config = trained.model.config
    return "\n".join(
        [
            f"# {MODEL_NAME} {MODEL_VERSION}",
            "",
            "Turns the facts of one scene into a title and one to three sentences, in Brazilian",
            "Portuguese or English. BitNet b1.58: ternary matrices, llama.cpp architecture `bitnet`.",
            "Written by `python -m summarize_scene.training.model_card`; do not edit.",
            "",
            f"- parameters: {trained.model.count_parameters()}; sizes: `{json.dumps(config.as_dict())}`",
            f"- data: made up by `scenes.py` and `wording.py`; code hash `{data_hash()}`",
            f"- prompt: `{PROMPT_NAME}`, hash `{prompt_hash()}`",
            f"- steps: {trained.step}; loss at the end (answer tokens): {trained.loss:.4f}",
            f"- plan: `{json.dumps(trained.plan.as_dict())}`",
            f"- evaluation: {scenes} held-out scenes (seed {EVALUATION_SEED}) in both languages",
            "",
            "| file | type | bytes | SHA-256 |",
            "|---|---|---|---|",
            *files,
            "",
            "| figure | " + " | ".join(reports) + " |",
            "|---|" + "---|" * len(reports),
            *figures,
            "",
        ]
    )


def _figure(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def data_hash() -> str:
    """Return one hash over the code that makes the data."""
    folder = Path(__file__).resolve().parent
    names = (
        "scenes",
        "invented_names",
        "scene_words",
        "choice",
        "wording",
        "wording_pt",
        "wording_en",
    )
    content = b"".join((folder / f"{name}.py").read_bytes() for name in names)
    return hashlib.sha256(content).hexdigest()


def _last_loss(path: Path) -> float:
    lines = path.read_text("utf-8").splitlines()[-_LAST_LOSSES:] if path.is_file() else []
    losses = [float(json.loads(line)["loss"]) for line in lines]
    return sum(losses) / len(losses) if losses else float("nan")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns 0 when the shipped file meets its targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="of the training")
    parser.add_argument("--output", type=Path, default=MODEL_FOLDER)
    parser.add_argument("--scenes", type=int, default=2000)
    options = parser.parse_args(argv)
    trained = load_trained(options.folder)
    paths = export_all(trained, options.folder, options.output)
    return 0 if write_card(trained, paths, options.output, options.scenes) else 1


if __name__ == "__main__":
    sys.exit(main())
