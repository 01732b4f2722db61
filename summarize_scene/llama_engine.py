"""llama.cpp through llama-cpp-python: any GGUF, on the CPU, or on a GPU where the build has one."""

from __future__ import annotations

import ctypes
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from summarize_scene.engine import EngineCard, Generation, Request, Sampling
from summarize_scene.memory import available_memory_bytes
from vv_core.errors import ConfigError, UnavailableError, VvError
from vv_core.utils import compute_sha256

if TYPE_CHECKING:
    from llama_cpp import Llama

GGUF_MAGIC = b"GGUF"
"""First bytes of every GGUF file (ggml/docs/gguf.md)."""

PROMPT_KEY = "vv.prompt"
"""GGUF metadata: the packaged prompt that a model was trained on."""

_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
_MEMORY_RESERVE_BYTES = 64 * 1024 * 1024
_SMALL_MODEL_BYTES = 64 * 1024 * 1024
_ALL_LAYERS = -1
_ADVICE = "Set VV_SUMMARY_MODEL to a GGUF that mainline llama.cpp runs, or leave it empty for rule-based text."


@dataclass(frozen=True)
class LlamaOptions:
    """How to load a model.

    Attributes:
        context: tokens of prompt and answer together.
        threads: 0 for all cores that this process may use; one for a model of our own size.
        gpu_layers: -1 for all, where this build can use a GPU.
    """

    context: int = 2048
    threads: int = 0
    gpu_layers: int = _ALL_LAYERS


class LlamaEngine:
    """A loaded GGUF; see `engine.TextEngine`."""

    def __init__(self, model_path: Path, options: LlamaOptions) -> None:
        """Load a model.

        Raises:
            ConfigError: llama-cpp-python is not installed, or the file is no GGUF that it runs.
            UnavailableError: there is not enough memory now.
        """
        self._library = _import_library()
        check_model_file(model_path)
        gpu_layers = options.gpu_layers if self._library.llama_supports_gpu_offload() else 0
        self._llama = self._load(model_path, options, gpu_layers)
        model_hash = compute_sha256(model_path)
        self._deadline = float("inf")
        self._writable: set[str] = set()
        # The callback must live as long as the context: llama.cpp keeps only its address.
        self._abort = self._library.ggml_abort_callback(self._is_late)
        self._library.llama_set_abort_callback(self._llama.ctx, self._abort, ctypes.c_void_p())
        self._card = EngineCard(
            model=model_path.name,
            model_hash=model_hash,
            quantization=_quantization(self._library, self._llama.metadata),
            device="gpu" if gpu_layers else "cpu",
            prompt=self._llama.metadata.get(PROMPT_KEY),
        )

    @property
    def card(self) -> EngineCard:
        """Which model this is."""
        return self._card

    def generate(
        self, request: Request, grammar: str, head: Sampling, *, seed: int, timeout_s: float
    ) -> Generation:
        """Write once; see `engine.TextEngine.generate`.

        The deadline holds inside the evaluation of a long prompt too: llama.cpp asks an abort
        callback between the operations of its graph.
        """
        started = time.monotonic()
        self._deadline = started + timeout_s
        written: list[int] = []
        failure: str | None = None
        is_final = False
        try:
            for token in self._tokens(request, grammar, head, seed):
                written.append(token)
        except _AttemptFailed as exc:
            failure, is_final = str(exc), exc.is_final
        except (RuntimeError, ValueError) as exc:  # what llama-cpp-python raises
            late = f"not finished within {timeout_s:g} s" if self._is_late() else ""
            failure = late or f"llama.cpp: {exc}"
        finally:
            self._deadline = float("inf")
        text = self._llama.detokenize(written).decode("utf-8", "replace") if written else ""
        return Generation(text, len(written), time.monotonic() - started, failure, is_final)

    def close(self) -> None:
        """Free the model."""
        self._llama.close()

    def _tokens(self, request: Request, grammar: str, head: Sampling, seed: int) -> Iterator[int]:
        llama, library = self._llama, self._library
        prompt = self._prompt_tokens(request, head)
        if len(prompt) + head.max_tokens > llama.n_ctx():
            raise _AttemptFailed(
                f"prompt and answer need {len(prompt) + head.max_tokens} tokens, "
                f"the context has {llama.n_ctx()}"
            )
        self._check_grammar(grammar)
        # A cached prefix would change the order of additions, and with it now and then the text.
        llama.reset()  # type: ignore[no-untyped-call]
        llama.set_seed(seed)
        stream = llama.generate(
            prompt,
            temp=head.temperature,
            top_p=head.top_p,
            top_k=head.top_k,
            repeat_penalty=head.repeat_penalty,
            grammar=library.LlamaGrammar.from_string(grammar, verbose=False),
        )
        vocabulary = llama._model.vocab
        for count, token in enumerate(stream):
            if library.llama_vocab_is_eog(vocabulary, token):
                return
            if self._is_late():
                raise RuntimeError("late")
            if count == head.max_tokens:
                reason = f"not finished within {head.max_tokens} tokens"
                raise _AttemptFailed(reason, is_final=False)
            yield token

    def _check_grammar(self, grammar: str) -> None:
        """Refuse a grammar that would bring the whole process down.

        llama-cpp-python samples with a null pointer after a grammar that does not parse, and llama.cpp
        ends the process when no token of the model can go on.
        """
        library, vocabulary = self._library, self._llama._model.vocab
        sampler = library.llama_sampler_init_grammar(vocabulary, grammar.encode("utf-8"), b"root")
        if not sampler:
            raise _AttemptFailed("llama.cpp cannot use the grammar of this scene")
        library.llama_sampler_free(sampler)
        needed = set("".join(_LITERAL.findall(grammar))) - self._writable
        lacking = sorted(char for char in needed if not self._can_write(char))
        if lacking:
            raise _AttemptFailed(f"the model cannot write {''.join(lacking)!r}")
        self._writable |= needed

    def _can_write(self, char: str) -> bool:
        tokens = self._llama.tokenize(char.encode("utf-8"), add_bos=False, special=False)
        return self._llama.detokenize(tokens).decode("utf-8", "replace").strip() == char.strip()

    def _prompt_tokens(self, request: Request, head: Sampling) -> list[int]:
        """Return the prompt in tokens: by the model's own chat template, if it has one."""
        llama = self._llama
        template = llama.metadata.get("tokenizer.chat_template")
        if head.chat == "plain" or not template:
            return llama.tokenize(request.plain.encode("utf-8"), add_bos=True, special=False)
        text = self._apply_template(template, request)
        # The template writes the model's begin-of-text token itself.
        return llama.tokenize(text.encode("utf-8"), add_bos=False, special=True)

    def _apply_template(self, template: str, request: Request) -> str:
        llama = self._llama
        chat_format: Any = import_module("llama_cpp.llama_chat_format")
        formatter = chat_format.Jinja2ChatFormatter(
            template=template,
            eos_token=_token_text(llama, llama.token_eos()),
            bos_token=_token_text(llama, llama.token_bos()),
        )
        user = {"role": "user", "content": request.user}
        try:
            system = {"role": "system", "content": request.system}
            return str(formatter(messages=[system, user]).prompt)
        except (ValueError, chat_format.jinja2.exceptions.TemplateError):
            # Some templates know no system role.
            user["content"] = f"{request.system}\n\n{request.user}"
            return str(formatter(messages=[user]).prompt)

    def _is_late(self, _data: object = None) -> bool:
        return time.monotonic() > self._deadline

    def _load(self, model_path: Path, options: LlamaOptions, gpu_layers: int) -> Llama:
        threads = options.threads or _fitting_threads(model_path)
        try:
            llama: Llama = self._library.Llama(
                model_path=str(model_path),
                n_ctx=options.context,
                n_batch=min(options.context, 512),
                n_threads=threads,
                n_threads_batch=threads,
                n_gpu_layers=gpu_layers,
                verbose=False,
            )
        except (ValueError, RuntimeError, MemoryError) as exc:
            raise _load_error(model_path, exc) from exc
        return llama


def _fitting_threads(model_path: Path) -> int:
    """Return one thread for a small model: more would wait for each other longer than they compute."""
    is_small = model_path.stat().st_size < _SMALL_MODEL_BYTES
    return 1 if is_small else len(os.sched_getaffinity(0))


class _AttemptFailed(Exception):
    """The attempt ended without a complete text; ``is_final``: another seed would end so too."""

    def __init__(self, reason: str, *, is_final: bool = True) -> None:
        super().__init__(reason)
        self.is_final = is_final


def _import_library() -> Any:
    try:
        return import_module("llama_cpp")
    except (ImportError, OSError, RuntimeError) as exc:
        raise ConfigError(
            f"VV_SUMMARY_MODEL is set, but llama-cpp-python does not load: {exc}",
            advice='Install it (pip install "vv-video-ai-system[summarizer]"), or empty VV_SUMMARY_MODEL.',
        ) from exc


def check_model_file(path: Path) -> None:
    """Refuse what cannot be a GGUF, before llama.cpp gets to see it.

    Raises:
        ConfigError: the file is absent, unreadable or something else.
    """
    try:
        with path.open("rb") as stream:
            magic = stream.read(len(GGUF_MAGIC))
    except OSError as exc:
        raise ConfigError(
            f"the model {str(path)!r} cannot be read: {exc.strerror}", advice=_ADVICE
        ) from exc
    if magic != GGUF_MAGIC:
        raise ConfigError(f"the model {str(path)!r} is not a GGUF file", advice=_ADVICE)


def _load_error(path: Path, exc: Exception) -> VvError:
    """Tell too little memory, which passes, from a file that llama.cpp will never run."""
    needed = path.stat().st_size + _MEMORY_RESERVE_BYTES
    available = available_memory_bytes()
    if isinstance(exc, MemoryError) or "context" in str(exc) or needed > available:
        return UnavailableError(
            f"the model {path.name!r} did not fit into memory "
            f"(about {needed >> 20} MiB needed, {available >> 20} MiB available): {exc}",
            advice="Free memory, raise VV_SUMMARY_MEMORY_MB, lower VV_SUMMARY_CONTEXT or choose a smaller model.",
        )
    return ConfigError(f"llama.cpp cannot run the model {str(path)!r}: {exc}", advice=_ADVICE)


def _quantization(library: Any, metadata: dict[str, str]) -> str | None:
    """Return the name of ``general.file_type``, as llama.cpp's own constants call it."""
    raw = metadata.get("general.file_type", "")
    for name in dir(library):
        if name.startswith("LLAMA_FTYPE_") and str(getattr(library, name)) == raw:
            return name.removeprefix("LLAMA_FTYPE_").removeprefix("MOSTLY_").removeprefix("ALL_")
    return None


def _token_text(llama: Llama, token: int) -> str:
    return str(llama._model.token_get_text(token)) if token >= 0 else ""
