"""What the writer needs of a model: one interface, whatever runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True)
class Request:
    """A prompt with the facts in it.

    Attributes:
        system, user: the two messages for a model with a chat template.
        plain: the whole prompt for one without.
    """

    system: str
    user: str
    plain: str


class Sampling(Protocol):
    """How a model takes a prompt and chooses its words; a `prompt.PromptHead` is one."""

    @property
    def chat(self) -> Literal["auto", "plain"]:
        """Whether the model's own chat template is applied."""

    @property
    def max_tokens(self) -> int:
        """The longest answer."""

    @property
    def temperature(self) -> float:
        """0 always takes the likeliest token."""

    @property
    def top_p(self) -> float:
        """Share of the likelihood that is chosen from."""

    @property
    def top_k(self) -> int:
        """Number of tokens that is chosen from; 0 for all."""

    @property
    def repeat_penalty(self) -> float:
        """1 for none."""


@dataclass(frozen=True)
class EngineCard:
    """Which model writes, for the summary.

    Attributes:
        model: file name.
        model_hash: SHA-256 of the file.
        quantization: as the GGUF names it, such as "Q4_0"; None when it does not.
        prompt: the packaged prompt that the model was trained on; None when any will do.
    """

    model: str
    model_hash: str
    quantization: str | None
    device: Literal["cpu", "gpu"]
    prompt: str | None = None


@dataclass(frozen=True)
class Generation:
    """What came of one attempt.

    Attributes:
        text: what the model wrote; also what it had written when it was stopped.
        tokens: how many tokens that took.
        elapsed_s: how long it took.
        failure: why the text is not complete; None when it is.
        is_final: another seed would fail for the same reason.
    """

    text: str
    tokens: int
    elapsed_s: float
    failure: str | None = None
    is_final: bool = False


class TextEngine(Protocol):
    """Something that writes text by a grammar."""

    @property
    def card(self) -> EngineCard:
        """Which model this is."""

    def generate(
        self, request: Request, grammar: str, head: Sampling, *, seed: int, timeout_s: float
    ) -> Generation:
        """Write once.

        Args:
            request: the prompt, with the facts in it.
            grammar: GBNF that the output follows.
            head: how to apply the prompt and how to sample.
            seed: the same seed, model and request give the same text on the same machine.
            timeout_s: after this the attempt ends, finished or not.

        Returns:
            The text, or why there is none: a failed attempt is data, not an exception.
        """

    def close(self) -> None:
        """Free the model."""
