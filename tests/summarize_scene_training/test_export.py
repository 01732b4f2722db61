"""The GGUF: exactly the ternary weights, and llama.cpp computes what torch does."""

from __future__ import annotations

import importlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from summarize_scene.llama_engine import LlamaEngine, LlamaOptions
from summarize_scene.prompt import load_prompt, packaged_prompt
from summarize_scene.summarize_scene import SummarizeStage
from summarize_scene.training.export import ModelName, Packing, export_gguf, pack
from summarize_scene.training.model import BitNet, ModelConfig, absmean_scale, ternary_codes
from summarize_scene.training.tokenizer import BEGIN_ID, Vocabulary, train_tokenizer, vocabulary_of
from tests.summarize_scene.scenes import analytic, detection
from vv_core.clock import SystemClock
from vv_core.jsonio import read_json
from vv_core.settings import Settings
from vv_core.stage import StageItem

PACKINGS: tuple[Packing, ...] = ("Q4_0", "TQ2_0")
TEXTS = [
    "A câmera Entrada registrou duas pessoas e um carro às 14h05.",
    "Nada foi detectado, durante todo o vídeo de 40 segundos.",
    '{"title":"Two people","text":"At 14:05, camera Gate shows two people."}',
] * 30
PROMPTS = (
    "pt | c Entrada | às 14h05 | 40 segundos | d tarde | + duas pessoas 0:03 0:31 ||",
    '{"title":"Zoë “日本” 🚗, ação',
    " ",
)
NAME = ModelName("tiny", "0.0.1", "scene_compact")
TOKENIZER = train_tokenizer(TEXTS, 400)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return vocabulary_of(TOKENIZER)


@pytest.fixture(scope="module")
def network(vocabulary: Vocabulary) -> BitNet:
    torch.manual_seed(1)
    made = BitNet(ModelConfig(len(vocabulary.tokens), layers=2))
    made.embedding.weight.data.mul_(20)
    for name, parameter in made.named_parameters():
        if "norm" in name:
            parameter.data.uniform_(0.5, 1.5)
    return made.eval()


@pytest.fixture(scope="module")
def files(
    tmp_path_factory: pytest.TempPathFactory, network: BitNet, vocabulary: Vocabulary
) -> dict[Packing, Path]:
    folder = tmp_path_factory.mktemp("gguf")
    paths = {packing: folder / f"tiny-{packing}.gguf" for packing in PACKINGS}
    for packing, path in paths.items():
        export_gguf(path, network, vocabulary, NAME, packing)
    return paths


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_packed_matrix_is_exactly_the_ternary_one(packing: Packing) -> None:
    torch.manual_seed(2)
    weight = torch.randn(8, 512) * 0.05
    kind = gguf.GGMLQuantizationType[packing]
    unpacked = gguf.quants.dequantize(np.asarray(pack(weight, packing)), kind)
    expected = (ternary_codes(weight) * absmean_scale(weight)).numpy()
    assert {-1.0, 0.0, 1.0} == set(ternary_codes(weight).flatten().tolist())
    np.testing.assert_array_equal(unpacked, expected)


def test_q4_0_uses_three_codes_only() -> None:
    packed = np.asarray(pack(torch.randn(4, 256), "Q4_0")).reshape(-1, 18)[:, 2:]
    assert set(np.unique(packed & 15)) | set(np.unique(packed >> 4)) == {7, 8, 9}


def test_llamas_own_quantiser_would_not_be_exact() -> None:
    weight = torch.randn(4, 256)
    ternary = (ternary_codes(weight) * absmean_scale(weight)).numpy()
    stock = gguf.quants.quantize(ternary, gguf.GGMLQuantizationType.Q4_0)
    unpacked = gguf.quants.dequantize(stock, gguf.GGMLQuantizationType.Q4_0)
    assert np.abs(unpacked - ternary).max() > 0


def test_the_gradient_passes_the_rounding() -> None:
    made = BitNet(ModelConfig(50, layers=1))
    made(torch.tensor([[1, 5, 9]])).sum().backward()
    for parameter in made.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_file_says_what_it_is(files: dict[Packing, Path], packing: Packing) -> None:
    reader = gguf.GGUFReader(files[packing])
    assert reader.fields["general.architecture"].contents() == "bitnet"
    assert reader.fields["vv.prompt"].contents() == "scene_compact"
    kinds = {tensor.name: tensor.tensor_type.name for tensor in reader.tensors}
    assert kinds["blk.1.ffn_down.weight"] == packing
    assert kinds["blk.0.attn_sub_norm.weight"] == "F32"
    assert len(kinds) == 2 + 2 * 11


@pytest.fixture(scope="module")
def llamas(files: dict[Packing, Path]) -> Iterator[dict[Packing, Any]]:
    library = importlib.import_module("llama_cpp")
    loaded = {
        packing: library.Llama(str(path), n_ctx=256, n_threads=1, logits_all=True, verbose=False)
        for packing, path in files.items()
    }
    yield loaded
    for llama in loaded.values():
        llama.close()


@pytest.mark.integration
@pytest.mark.parametrize("text", PROMPTS)
def test_llama_cpp_cuts_text_into_the_same_tokens(llamas: dict[Packing, Any], text: str) -> None:
    llama = llamas["Q4_0"]
    tokens = llama.tokenize(text.encode(), add_bos=True, special=False)
    assert tokens == [BEGIN_ID, *TOKENIZER.encode(text).ids]
    assert llama.detokenize(tokens[1:]).decode() == text


@pytest.mark.integration
@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("text", PROMPTS)
def test_llama_cpp_computes_the_same_scores(
    llamas: dict[Packing, Any], network: BitNet, packing: Packing, text: str
) -> None:
    tokens = [BEGIN_ID, *TOKENIZER.encode(text).ids]
    llama = llamas[packing]
    llama.reset()
    llama.eval(tokens)
    theirs = np.array(llama.scores[: len(tokens)])
    with torch.no_grad():
        ours = network(torch.tensor([tokens]))[0].numpy()
    # llama.cpp rounds activations to 8 bits, in blocks of 32 (Q4_0) or 256 (TQ2_0).
    assert np.corrcoef(theirs.ravel(), ours.ravel())[0, 1] > 0.999
    assert np.abs(theirs - ours).max() < 0.2 * ours.std()
    assert (theirs.argmax(1) == ours.argmax(1)).mean() >= 0.95


@pytest.mark.integration
def test_the_model_chooses_its_prompt(files: dict[Packing, Path], tmp_path: Path) -> None:
    source = tmp_path / "a.analytic.json"
    seen = [detection(float(second), "person", 0.8) for second in range(4)]
    source.write_text(json.dumps(analytic(*seen)), "utf-8")
    settings = Settings(summary_model=files["Q4_0"], summary_context=512, summary_timeout_s=20.0)
    stage = SummarizeStage(settings, SystemClock())
    item = StageItem(source, tmp_path / "a.summary.json")
    stage.process(item, lambda _share: None)
    stage.close()
    summary = read_json(item.output)
    expected = load_prompt(packaged_prompt("scene_compact"))
    assert summary["engine"]["prompt_hash"] == expected.sha256
    assert summary["engine"]["model"] == files["Q4_0"].name
    assert summary["engine"]["quantization"] == "Q4_0"


@pytest.mark.integration
def test_an_own_prompt_file_goes_before_the_models(
    files: dict[Packing, Path], tmp_path: Path
) -> None:
    own = tmp_path / "own.prompt"
    body = packaged_prompt("scene_compact").read_text("utf-8")
    own.write_text(re.sub('version = ".*"', 'version = "9.9.9"', body), "utf-8")
    source = tmp_path / "a.analytic.json"
    source.write_text(json.dumps(analytic()), "utf-8")
    settings = Settings(summary_model=files["Q4_0"], prompt_file=own, summary_timeout_s=20.0)
    stage = SummarizeStage(settings, SystemClock())
    item = StageItem(source, tmp_path / "a.summary.json")
    stage.process(item, lambda _share: None)
    stage.close()
    assert read_json(item.output)["engine"]["prompt_version"] == "9.9.9"


def test_a_card_without_a_wish(files: dict[Packing, Path]) -> None:
    engine = LlamaEngine(files["TQ2_0"], LlamaOptions(context=256))
    assert engine.card.prompt == "scene_compact"
    assert engine.card.quantization == "TQ2_0"
    engine.close()


def test_rotary_positions_reach_as_far_as_the_context() -> None:
    config = ModelConfig(50, layers=1)
    shorter = BitNet(replace(config, context=64))
    with torch.no_grad():
        assert math.isfinite(float(shorter(torch.ones(1, 64, dtype=torch.long)).sum()))
