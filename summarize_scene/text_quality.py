"""Faults of form: a text that is cut off, repeats itself or is no sentence. No facts are needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from summarize_scene.mentions import (
    ClockMention,
    ConditionMention,
    LabelMention,
    LengthMention,
    Mark,
    Mention,
    NameMention,
    OthersMention,
    PlainWord,
    Stray,
)
from summarize_scene.number_words import Language
from summarize_scene.problems import Problem
from summarize_scene.tokens import split_sentences, split_tokens
from summarize_scene.vocabulary import load_vocabulary

MAX_SENTENCES = 4
_REPEAT_TOKENS = 7
_MAX_LINKS_IN_A_ROW = 3
_MAX_SAME_CLASS_IN_A_ROW = 2
_LINKS = frozenset({"articles", "contractions", "prepositions", "conjunctions"})
_RANGE_OPENERS = frozenset({"entre", "between"})
_NEED_A_NOUN = frozenset({"articles", "contractions"})

Sentence = Sequence[Mention]


def check_end(text: str, language: Language, *, needs_stop: bool) -> Iterator[Problem]:
    """Find text that stops in the middle of a sentence."""
    tokens = list(split_tokens(text))
    words = [token for token in tokens if token.kind != "stop"]
    if needs_stop and (not tokens or tokens[-1].kind != "stop"):
        yield Problem("cut off", "the last sentence has no end")
    if words and words[-1].key in load_vocabulary(language).dangling:
        yield Problem("cut off", f"ends in {words[-1].text!r}")
    if words and words[-1].kind == "mark" and words[-1].text != ")":
        yield Problem("cut off", f"ends in {words[-1].text!r}")
    if text.count("(") != text.count(")"):
        yield Problem("cut off", "a bracket is not closed")


def check_repeats(text: str) -> Iterator[Problem]:
    """Find sentences and passages that stand twice."""
    sentences = [tuple(token.key for token in sentence) for sentence in split_sentences(text)]
    if len(set(sentences)) < len(sentences):
        yield Problem("repeat", "a sentence stands twice")
    keys = [token.key for token in split_tokens(text)]
    passages = [tuple(keys[i : i + _REPEAT_TOKENS]) for i in range(len(keys) - _REPEAT_TOKENS + 1)]
    if len(set(passages)) < len(passages):
        yield Problem("repeat", "a passage stands twice")


def check_sentences(sentences: Sequence[Sentence], *, need_verb: bool) -> Iterator[Problem]:
    """Find strings of words that no sentence holds.

    Args:
        sentences: of a title or a text.
        need_verb: a text has whole sentences, a title need not.
    """
    if len(sentences) > MAX_SENTENCES:
        yield Problem("degenerate", f"more than {MAX_SENTENCES} sentences")
    for sentence in sentences:
        if any(one == other for one, other in pairwise(sentence)):
            yield Problem("repeat", "the same thing twice in a row")
        yield from _check_links(sentence)
        yield from _check_runs(sentence)
        yield from _check_things(sentence)
        yield from _check_ranges(sentence)
        if need_verb and not any(map(_is_statement, sentence)):
            yield Problem("degenerate", "a sentence says nothing")
    yield from _check_restated(sentences)


def _check_restated(sentences: Sequence[Sentence]) -> Iterator[Problem]:
    """Find what is said too often in the same words: a length or condition twice, a label three times."""
    stated = Counter(
        (isinstance(mention, LabelMention), mention.words.casefold())
        for sentence in sentences
        for mention in sentence
        if isinstance(mention, LengthMention | LabelMention | ConditionMention)
    )
    for (is_label, words), times in stated.items():
        if times > (2 if is_label else 1):
            yield Problem("repeat", f"{words!r} stands {times} times")


def _check_links(sentence: Sentence) -> Iterator[Problem]:
    """An article needs a noun; no joining word stands before a mark or at the end."""
    for here, following in pairwise([*sentence, Mark(".")]):
        if not isinstance(here, PlainWord) or here.kind not in _LINKS:
            continue
        is_no_noun = isinstance(following, PlainWord) and following.kind in {*_LINKS, "verbs"}
        if isinstance(following, Mark) or (is_no_noun and here.kind in _NEED_A_NOUN):
            yield Problem("degenerate", f"nothing follows {here.word!r}")


def _check_runs(sentence: Sentence) -> Iterator[Problem]:
    for kind, run in groupby(sentence, key=_class_of):
        length = len(list(run))
        if kind == "link" and length > _MAX_LINKS_IN_A_ROW:
            yield Problem("degenerate", f"{length} joining words in a row")
        if kind in {"verbs", "nouns", "others"} and length > _MAX_SAME_CLASS_IN_A_ROW:
            yield Problem("degenerate", f"{length} {kind} in a row")


def _check_things(sentence: Sentence) -> Iterator[Problem]:
    """Two things need a word or a mark between them ("uma pessoa quadro", "video a car")."""
    for one, other in pairwise(sentence):
        if _is_thing(one) and (_is_thing(other) or isinstance(other, LengthMention)):
            yield Problem("degenerate", "two things without a word between them")


def _check_ranges(sentence: Sentence) -> Iterator[Problem]:
    """A range has two ends: "entre 0:03." was cut off."""
    for place, mention in enumerate(sentence[:-1]):
        is_opener = isinstance(mention, PlainWord) and mention.word in _RANGE_OPENERS
        if is_opener and isinstance(sentence[place + 1], ClockMention):
            end = sentence[place + 3 : place + 4]
            if not end or not isinstance(end[0], ClockMention):
                yield Problem("cut off", "a range of times has no end")


def _is_thing(mention: Mention) -> bool:
    if isinstance(mention, PlainWord):
        return mention.kind == "nouns"
    return isinstance(mention, LabelMention | NameMention | OthersMention)


def _is_statement(mention: Mention) -> bool:
    if isinstance(mention, PlainWord):
        return mention.kind == "verbs"
    return isinstance(mention, ConditionMention | Stray)


def _class_of(mention: Mention) -> str:
    if not isinstance(mention, PlainWord):
        return ""
    return "link" if mention.kind in _LINKS else mention.kind
