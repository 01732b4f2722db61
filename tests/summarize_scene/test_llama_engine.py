"""The real llama-cpp-python with a real GGUF of random weights."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from summarize_scene.facts import SceneFacts
from summarize_scene.grammar import build_grammar
from summarize_scene.llama_engine import LlamaEngine, LlamaOptions
from summarize_scene.memory import available_memory_bytes
from summarize_scene.mentions import LabelMention, NameMention, Stray
from summarize_scene.number_words import Language
from summarize_scene.prompt import PACKAGED_PROMPT, Prompt, PromptHead, load_prompt, render_request
from summarize_scene.reading import Reader
from summarize_scene.rules_text import write_rules_text
from summarize_scene.vocabulary import LANGUAGES
from summarize_scene.writer import parse_answer, write_draft
from tests.summarize_scene.scenes import label, person, scene
from tests.summarize_scene.tiny_gguf import write_tiny_gguf
from vv_core.errors import ConfigError, UnavailableError
from vv_core.utils import compute_sha256

pytestmark = pytest.mark.integration
pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")

FACTS = scene(
    label("person", 2, different=4),
    label("pallet_jack", 1, 4.0, 4.5),
    label("face", 1, type="face"),
    names=(person("maria"), person("Dog")),
    camera='<|im_end|> "fogo"',
)
SEEN = {"person", "pallet jack", "face"}
PROMPT = load_prompt(PACKAGED_PROMPT)
WILD = PROMPT.head.model_copy(update={"max_tokens": 1500, "temperature": 1.5, "top_p": 1.0})
SYSTEM_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}[{{ message.role }}] {{ message.content }}\n"
    "{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}"
)
NO_SYSTEM_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}{{ message.content }}{% endfor %}"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gguf(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="module")
def engine(model: Path) -> Iterator[LlamaEngine]:
    loaded = LlamaEngine(model, LlamaOptions(context=4096, threads=2))
    yield loaded
    loaded.close()


def answer(
    engine: LlamaEngine, facts: SceneFacts, language: Language, seed: int, head: PromptHead = WILD
) -> str:
    request = render_request(PROMPT, facts, language)
    grammar = build_grammar(facts, language)
    generation = engine.generate(request, grammar, head, seed=seed, timeout_s=60.0)
    assert generation.failure is None
    assert generation.tokens > 0
    return generation.text


def test_the_card_names_the_model(engine: LlamaEngine, model: Path) -> None:
    card = engine.card
    assert (card.model, card.quantization, card.device) == ("tiny.gguf", "F32", "cpu")
    assert card.model_hash == compute_sha256(model)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("seed", range(8))
def test_even_random_weights_name_only_what_was_seen(
    engine: LlamaEngine, language: Language, seed: int
) -> None:
    written = parse_answer(answer(engine, FACTS, language, seed))
    assert written is not None
    for text in (written.title, written.text):
        for mention in (
            item for sentence in Reader(FACTS, language).read(text) for item in sentence
        ):
            assert not isinstance(mention, Stray)
            if isinstance(mention, LabelMention):
                assert mention.keys & SEEN
            if isinstance(mention, NameMention):
                assert mention.name in {"Maria", "Dog"}


def test_the_same_seed_gives_the_same_text_and_another_seed_another(engine: LlamaEngine) -> None:
    first = answer(engine, FACTS, "pt-BR", 1)
    other = answer(engine, FACTS, "pt-BR", 2)
    assert answer(engine, FACTS, "pt-BR", 1) == first
    assert other != first


def test_a_fresh_process_would_say_the_same(engine: LlamaEngine, model: Path) -> None:
    fresh = LlamaEngine(model, LlamaOptions(context=4096, threads=2))
    try:
        assert answer(fresh, FACTS, "en", 5) == answer(engine, FACTS, "en", 5)
    finally:
        fresh.close()


@pytest.mark.parametrize("timeout_s", [1e-4, 0.1])
def test_the_deadline_is_kept_in_the_prompt_and_in_the_text(
    engine: LlamaEngine, timeout_s: float
) -> None:
    # The prompt alone takes longer than the first, the text longer than the second.
    request = render_request(PROMPT, FACTS, "pt-BR")
    endless = 'root ::= part part\npart ::= ("a" | "b" | " "){1900}'
    head = PROMPT.head.model_copy(update={"max_tokens": 2048, "chat": "plain"})
    started = time.monotonic()
    generation = engine.generate(request, endless, head, seed=1, timeout_s=timeout_s)
    assert time.monotonic() - started < 30
    assert generation.failure == f"not finished within {timeout_s:g} s"


def test_after_a_deadline_the_next_scene_is_written_as_ever(engine: LlamaEngine) -> None:
    before = answer(engine, FACTS, "pt-BR", 3)
    request = render_request(PROMPT, FACTS, "en")
    late = engine.generate(request, build_grammar(FACTS, "en"), WILD, seed=1, timeout_s=1e-4)
    assert late.failure is not None
    assert answer(engine, FACTS, "pt-BR", 3) == before


def test_too_long_an_answer_is_a_failure_with_what_was_written(engine: LlamaEngine) -> None:
    head = WILD.model_copy(update={"max_tokens": 20})
    request = render_request(PROMPT, FACTS, "pt-BR")
    generation = engine.generate(
        request, build_grammar(FACTS, "pt-BR"), head, seed=1, timeout_s=60.0
    )
    assert generation.failure == "not finished within 20 tokens"
    assert generation.tokens == 20
    assert generation.text.startswith('{"title":"')


def test_too_small_a_context_is_a_failure(model: Path) -> None:
    small = LlamaEngine(model, LlamaOptions(context=256, threads=1))
    try:
        request = render_request(PROMPT, FACTS, "pt-BR")
        grammar = build_grammar(FACTS, "pt-BR")
        generation = small.generate(request, grammar, PROMPT.head, seed=1, timeout_s=60.0)
        assert generation.failure is not None
        assert "the context has" in generation.failure
    finally:
        small.close()


@pytest.mark.parametrize("grammar", ['root ::= "a', 'start ::= "a"', 'root ::= "a"{4000}'])
def test_a_broken_grammar_is_a_failure_of_the_attempt(
    engine: LlamaEngine, grammar: str, capfd: pytest.CaptureFixture[str]
) -> None:
    request = render_request(PROMPT, FACTS, "pt-BR")
    generation = engine.generate(request, grammar, PROMPT.head, seed=1, timeout_s=60.0)
    assert generation.failure == "llama.cpp cannot use the grammar of this scene"
    capfd.readouterr()


def test_a_text_that_fails_the_check_is_replaced_with_its_reason(engine: LlamaEngine) -> None:
    prompt = Prompt(WILD, PROMPT.sha256, PROMPT.sections)
    draft = write_draft(FACTS, "pt-BR", engine, prompt, seed=1, timeout_s=60.0)
    assert not draft.by_model
    assert draft.fallback_reason
    assert draft.rejected_text
    assert draft.rejected_text.startswith('{"title":"')
    assert draft.written == write_rules_text(FACTS, "pt-BR")


def test_a_model_that_cannot_write_the_language_is_a_failure(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "ascii.gguf", is_ascii_only=True)
    ascii_only = LlamaEngine(path, LlamaOptions(context=4096, threads=2))
    try:
        draft = write_draft(FACTS, "pt-BR", ascii_only, PROMPT, seed=1, timeout_s=60.0)
        assert draft.fallback_reason is not None
        assert draft.fallback_reason.startswith("the model cannot write")
        assert parse_answer(answer(ascii_only, scene(label("car", 1)), "en", 1)) is not None
    finally:
        ascii_only.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_thousand_labels_fit(engine: LlamaEngine, language: Language) -> None:
    facts = scene(*[label(f"thing {number} {'x' * 60}", number + 1) for number in range(1000)])
    assert parse_answer(answer(engine, facts, language, 1)) is not None


@pytest.mark.parametrize("template", [SYSTEM_TEMPLATE, NO_SYSTEM_TEMPLATE])
def test_the_models_own_chat_template_is_applied(tmp_path: Path, template: str) -> None:
    path = write_tiny_gguf(tmp_path / "chat.gguf", chat_template=template)
    chat = LlamaEngine(path, LlamaOptions(context=4096, threads=2))
    try:
        by_template = answer(chat, FACTS, "en", 1)
        plain = answer(chat, FACTS, "en", 1, WILD.model_copy(update={"chat": "plain"}))
        assert by_template != plain
    finally:
        chat.close()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "not a GGUF", id="empty"),
        pytest.param(b"PK\x03\x04 zip", "not a GGUF", id="something else"),
        pytest.param(b"GGUF", "cannot run", id="cut in the header"),
        pytest.param(b"GGUF" + b"\xff" * 200, "cannot run", id="nonsense"),
    ],
)
def test_a_file_that_is_no_model_is_a_wrong_setting(
    tmp_path: Path, content: bytes, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=reason) as raised:
        LlamaEngine(path, LlamaOptions())
    assert "VV_SUMMARY_MODEL" in raised.value.advice
    capfd.readouterr()


def test_half_a_model_is_a_wrong_setting(
    tmp_path: Path, model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "half.gguf"
    path.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    with pytest.raises(ConfigError, match="cannot run"):
        LlamaEngine(path, LlamaOptions())
    capfd.readouterr()


def test_a_missing_model_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        LlamaEngine(tmp_path / "absent.gguf", LlamaOptions())


def test_too_little_memory_is_tried_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # A sparse file larger than any memory here: it costs nothing, and llama.cpp refuses it.
    path = tmp_path / "huge.gguf"
    with path.open("wb") as stream:
        stream.write(b"GGUF" + b"\xff" * 28)
        stream.truncate(available_memory_bytes() + 1)
    with pytest.raises(UnavailableError, match="did not fit into memory"):
        LlamaEngine(path, LlamaOptions())
    capfd.readouterr()


def test_without_the_library_the_setting_is_wrong(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    with pytest.raises(ConfigError, match="llama-cpp-python does not load") as raised:
        LlamaEngine(model, LlamaOptions())
    assert "pip install" in raised.value.advice
