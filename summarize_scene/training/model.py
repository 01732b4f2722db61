"""The network: BitNet b1.58 as llama.cpp's ``bitnet`` architecture computes it.

Ternary weights with one absmean scale a matrix (Ma et al., "The Era of 1-bit LLMs", 2024), trained with
a straight-through estimator. The graph is that of ``src/models/bitnet.cpp``: RMS norms, rotary
positions on half vectors (NeoX), a norm before the attention's output and before the feed-forward's
second matrix, SiLU gates, and the embedding used again as the output matrix.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

RMS_EPS = 1e-5
ROPE_BASE = 10000.0
_MIN_SCALE = 1e-4
_INIT_STD = 0.02


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the network; ``dim`` and ``feed_forward`` are multiples of 256, as TQ2_0 blocks are."""

    vocabulary: int
    dim: int = 256
    layers: int = 5
    heads: int = 4
    feed_forward: int = 512
    context: int = 512

    @property
    def head_dim(self) -> int:
        """Length of one head's vectors."""
        return self.dim // self.heads

    def as_dict(self) -> dict[str, int]:
        """Return the sizes for a checkpoint or a model card."""
        return asdict(self)


def absmean_scale(weight: Tensor) -> Tensor:
    """Return the scale of a matrix: its mean absolute value, as a 16-bit float can hold it."""
    return weight.abs().mean().clamp(min=_MIN_SCALE).half().float()


def ternary_codes(weight: Tensor) -> Tensor:
    """Return the codes -1, 0 and 1 of a matrix, in the shape of the matrix."""
    return (weight / absmean_scale(weight)).round().clamp(-1, 1)


class BitLinear(nn.Module):
    """A matrix that is ternary when it is used.

    ``blend`` goes from 0 (the training weights themselves) to 1 (ternary): training starts soft.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs).normal_(std=_INIT_STD))
        # A tensor, so that a compiled graph need not be made again when it changes.
        self.register_buffer("blend", torch.ones(()), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return x times the ternary matrix; the gradient passes straight through the rounding."""
        real = self.weight.detach()
        ternary = ternary_codes(real) * absmean_scale(real)
        weight = self.weight + self.get_buffer("blend") * (ternary - real)
        return functional.linear(x, weight.to(x.dtype))


class RmsNorm(nn.Module):
    """Root mean square norm with a learned gain."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        """Return x with the mean square 1, times the gain."""
        return functional.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), RMS_EPS)


class Attention(nn.Module):
    """Causal self-attention with rotary positions and a norm before the output matrix."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.q, self.k, self.v, self.out = (BitLinear(config.dim, config.dim) for _ in range(4))
        self.sub_norm = RmsNorm(config.dim)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Return what each place of x, (batch, length, dim), sees of itself and those before it."""
        batch, length, dim = x.shape
        shape = (batch, length, self.heads, dim // self.heads)
        q = rotate(self.q(x).view(shape).transpose(1, 2), cos, sin)
        k = rotate(self.k(x).view(shape).transpose(1, 2), cos, sin)
        v = self.v(x).view(shape).transpose(1, 2)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        out: Tensor = self.out(self.sub_norm(mixed.transpose(1, 2).reshape(batch, length, dim)))
        return out


class FeedForward(nn.Module):
    """SiLU-gated feed-forward with a norm before its second matrix."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate = BitLinear(config.dim, config.feed_forward)
        self.up = BitLinear(config.dim, config.feed_forward)
        self.down = BitLinear(config.feed_forward, config.dim)
        self.sub_norm = RmsNorm(config.feed_forward)

    def forward(self, x: Tensor) -> Tensor:
        """Return the change to x, place by place."""
        out: Tensor = self.down(self.sub_norm(functional.silu(self.gate(x)) * self.up(x)))
        return out


class Block(nn.Module):
    """One layer."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention_norm = RmsNorm(config.dim)
        self.attention = Attention(config)
        self.feed_forward_norm = RmsNorm(config.dim)
        self.feed_forward = FeedForward(config)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Return x after attention and feed-forward."""
        x = x + self.attention(self.attention_norm(x), cos, sin)
        out: Tensor = x + self.feed_forward(self.feed_forward_norm(x))
        return out


class BitNet(nn.Module):
    """The whole network."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.dim)
        nn.init.normal_(self.embedding.weight, std=_INIT_STD)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RmsNorm(config.dim)
        cos, sin = rotary_tables(config.context, config.head_dim)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def hidden(self, tokens: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return the last hidden vectors, (batch, length, dim), of tokens, (batch, length)."""
        length = tokens.shape[1]
        cos = self.get_buffer("cos")[:length].to(dtype)
        sin = self.get_buffer("sin")[:length].to(dtype)
        x = self.embedding(tokens).to(dtype)
        for block in self.blocks:
            x = block(x, cos, sin)
        out: Tensor = self.norm(x)
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the scores of every token, (…, vocabulary), for hidden vectors, (…, dim)."""
        return functional.linear(hidden, self.embedding.weight.to(hidden.dtype))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the scores of every token at every place."""
        return self.logits(self.hidden(tokens))

    def set_blend(self, blend: float) -> None:
        """Set how far all matrices are ternary, 0 to 1."""
        for module in self.modules():
            if isinstance(module, BitLinear):
                module.get_buffer("blend").fill_(blend)

    def count_parameters(self) -> int:
        """Return the number of weights."""
        return sum(parameter.numel() for parameter in self.parameters())


def rotary_tables(length: int, head_dim: int) -> tuple[Tensor, Tensor]:
    """Return cosines and sines, (length, head_dim), of rotary positions (Su et al., 2021)."""
    powers = torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim
    angles = torch.arange(length, dtype=torch.float64)[:, None] * ROPE_BASE**-powers
    both = torch.cat([angles, angles], dim=-1)
    return both.cos().float(), both.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn vectors, (…, length, head_dim), by their position: the first half with the second."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin
