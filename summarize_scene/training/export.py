"""A trained network as a GGUF file that mainline llama.cpp runs.

Q4_0 holds a ternary matrix exactly: each block of 32 has the matrix's own scale, and the codes 7, 8
and 9 stand for -1, 0 and 1. (llama.cpp's own quantiser takes the scale from the largest value of a block
and -8 as its code, which turns one of the signs into 7/8.) Formats: ``ggml/src/ggml-common.h``
(block_q4_0, block_tq2_0) and ``docs/gguf.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gguf
import numpy as np
import numpy.typing as npt
from torch import Tensor

from summarize_scene.llama_engine import PROMPT_KEY
from summarize_scene.training.model import (
    RMS_EPS,
    ROPE_BASE,
    BitLinear,
    BitNet,
    absmean_scale,
    ternary_codes,
)
from summarize_scene.training.tokenizer import BEGIN_ID, END_ID, PADDING_ID, SPECIAL, Vocabulary
from vv_core.atomic import atomic_path

Packing = Literal["Q4_0", "TQ2_0"]
CONTEXT = 2048
"""What llama.cpp is told. Training texts end before 300; a prompt full of long foreign names is longer."""

_BLOCK = 32
_ZERO_CODE = 8
_FILE_TYPES = {
    "Q4_0": gguf.LlamaFileType.MOSTLY_Q4_0,
    "TQ2_0": gguf.LlamaFileType.MOSTLY_TQ2_0,
}


@dataclass(frozen=True)
class ModelName:
    """How a file calls itself."""

    name: str
    version: str
    prompt: str


def export_gguf(
    path: Path, model: BitNet, vocabulary: Vocabulary, name: ModelName, packing: Packing
) -> None:
    """Write a model; the file appears whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    with atomic_path(path) as temporary:
        writer = gguf.GGUFWriter(temporary, "bitnet")
        _add_sizes(writer, model, name, packing)
        _add_vocabulary(writer, vocabulary)
        for tensor_name, values, kind in _tensors(model, packing):
            writer.add_tensor(tensor_name, values, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def pack_q4_0(codes: npt.NDArray[np.int8], scale: float) -> npt.NDArray[np.uint8]:
    """Return ternary codes, (rows, columns), as Q4_0 blocks, (rows, columns / 32 * 18) bytes."""
    rows, columns = codes.shape
    blocks = (codes + _ZERO_CODE).astype(np.uint8).reshape(rows, columns // _BLOCK, _BLOCK)
    low, high = blocks[..., : _BLOCK // 2], blocks[..., _BLOCK // 2 :]
    scales = np.full((rows, columns // _BLOCK, 1), scale, dtype="<f2").view(np.uint8)
    return np.concatenate([scales, low | (high << 4)], axis=-1).reshape(rows, -1)


def _add_sizes(writer: gguf.GGUFWriter, model: BitNet, name: ModelName, packing: Packing) -> None:
    config = model.config
    writer.add_name(name.name)
    writer.add_version(name.version)
    writer.add_license("AGPL-3.0-or-later")
    writer.add_languages(["pt", "en"])
    writer.add_string(PROMPT_KEY, name.prompt)
    writer.add_file_type(_FILE_TYPES[packing])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(config.dim)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.feed_forward)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.heads)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(RMS_EPS)
    writer.add_vocab_size(config.vocabulary)


def _add_vocabulary(writer: gguf.GGUFWriter, vocabulary: Vocabulary) -> None:
    kinds = [
        gguf.TokenType.CONTROL if number < len(SPECIAL) else gguf.TokenType.NORMAL
        for number in range(len(vocabulary.tokens))
    ]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(list(vocabulary.tokens))
    writer.add_token_types(kinds)
    writer.add_token_merges(list(vocabulary.merges))
    writer.add_bos_token_id(BEGIN_ID)
    writer.add_eos_token_id(END_ID)
    writer.add_pad_token_id(PADDING_ID)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)


_Named = tuple[str, npt.NDArray[np.generic], gguf.GGMLQuantizationType]


def _tensors(model: BitNet, packing: Packing) -> Iterator[_Named]:
    """Yield name, bytes and type of every tensor, by the names of ``gguf.MODEL_ARCH.BITNET``."""
    kinds = gguf.GGMLQuantizationType
    embedding = model.embedding.weight.detach().numpy().astype(np.float16)
    yield "token_embd.weight", embedding, kinds.F16
    yield "output_norm.weight", _gain(model.norm.weight), kinds.F32
    for number, block in enumerate(model.blocks):
        modules = dict(block.named_modules())
        for own, theirs in _MATRICES.items():
            matrix = modules[own]
            assert isinstance(matrix, BitLinear)
            yield f"blk.{number}.{theirs}.weight", pack(matrix.weight, packing), kinds[packing]
        for own, theirs in _NORMS.items():
            yield f"blk.{number}.{theirs}.weight", _gain(modules[own].weight), kinds.F32


def pack(weight: Tensor, packing: Packing) -> npt.NDArray[np.generic]:
    """Return a training matrix as the bytes of its ternary one."""
    codes = ternary_codes(weight.detach()).numpy().astype(np.int8)
    scale = float(absmean_scale(weight.detach()))
    if packing == "Q4_0":
        return pack_q4_0(codes, scale)
    values = codes.astype(np.float32) * np.float32(scale)
    return gguf.quants.quantize(values, gguf.GGMLQuantizationType.TQ2_0)


def _gain(weight: object) -> npt.NDArray[np.generic]:
    assert isinstance(weight, Tensor)
    return weight.detach().numpy().astype(np.float32)


_MATRICES = {
    "attention.q": "attn_q",
    "attention.k": "attn_k",
    "attention.v": "attn_v",
    "attention.out": "attn_output",
    "feed_forward.gate": "ffn_gate",
    "feed_forward.up": "ffn_up",
    "feed_forward.down": "ffn_down",
}
_NORMS = {
    "attention_norm": "attn_norm",
    "attention.sub_norm": "attn_sub_norm",
    "feed_forward_norm": "ffn_norm",
    "feed_forward.sub_norm": "ffn_sub_norm",
}
