"""A real GGUF in a blink: llama architecture, random weights, a vocabulary of bytes and a few words.

It writes nonsense, which is what a test of the grammar and of the check needs.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

_EMBEDDING, _HEADS, _LAYERS, _FEED_FORWARD = 64, 4, 2, 128
_WORDS = "▁pessoa ▁pessoas ▁carro ▁câmera ▁vídeo ▁aparece ▁duas ▁um ▁gato ▁fogo ▁people ▁the ▁Maria"


def write_tiny_gguf(
    path: Path,
    *,
    seed: int = 1,
    context: int = 4096,
    chat_template: str | None = None,
    is_ascii_only: bool = False,
) -> Path:
    """Write a model of about 200 kB and return its path.

    Args:
        path: the file.
        seed: of the random weights.
        context: tokens that the model is said to be trained for.
        chat_template: Jinja template to carry.
        is_ascii_only: a vocabulary that cannot write accents and quotation marks.
    """
    writer = gguf.GGUFWriter(path, "llama")
    tokens, scores, types = _tokenizer(is_ascii_only)
    writer.add_name("tiny random llama")
    writer.add_context_length(context)
    writer.add_embedding_length(_EMBEDDING)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_FEED_FORWARD)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_rope_dimension_count(_EMBEDDING // _HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2" if is_ascii_only else "llama")
    if is_ascii_only:
        writer.add_tokenizer_pre("gpt-2")
        writer.add_token_merges(["a b"])
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    for name, tensor in _weights(len(tokens), seed).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tokenizer(is_ascii_only: bool) -> tuple[list[str], list[float], list[int]]:
    special = ["<unk>", "<s>", "</s>"]
    single_bytes = [f"<0x{value:02X}>" for value in range(0 if is_ascii_only else 256)]
    # A space is U+2581 to SentencePiece and U+0120 to GPT-2.
    letters = [chr(code) for code in (0x120 if is_ascii_only else 0x2581, *range(0x20, 0x7F))]
    words = _WORDS.split()
    kinds = gguf.TokenType
    types = [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL]
    types += [kinds.BYTE] * len(single_bytes) + [kinds.NORMAL] * (len(letters) + len(words))
    tokens = [*special, *single_bytes, *letters, *words]
    return tokens, [-float(index) for index in range(len(tokens))], [int(kind) for kind in types]


def _weights(vocabulary: int, seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return random.normal(0, 0.5, (rows, columns)).astype(np.float32)

    ones = np.ones(_EMBEDDING, dtype=np.float32)
    weights = {
        "token_embd.weight": matrix(vocabulary, _EMBEDDING),
        "output_norm.weight": ones,
        "output.weight": matrix(vocabulary, _EMBEDDING),
    }
    for layer in range(_LAYERS):
        prefix = f"blk.{layer}."
        weights |= {
            f"{prefix}{name}.weight": matrix(_EMBEDDING, _EMBEDDING)
            for name in ("attn_q", "attn_k", "attn_v", "attn_output")
        }
        weights |= {
            f"{prefix}attn_norm.weight": ones,
            f"{prefix}ffn_norm.weight": ones,
            f"{prefix}ffn_gate.weight": matrix(_FEED_FORWARD, _EMBEDDING),
            f"{prefix}ffn_up.weight": matrix(_FEED_FORWARD, _EMBEDDING),
            f"{prefix}ffn_down.weight": matrix(_EMBEDDING, _FEED_FORWARD),
        }
    return weights
