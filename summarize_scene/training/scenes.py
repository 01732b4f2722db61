"""Made-up scenes of every kind that real analytics hold, from a seed.

Which scenes may be trained on is decided by what they combine (`is_held_out`): a combination of labels,
counts and names that the evaluation uses stands in no training text.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from summarize_scene.facts import FactType, LabelFact, NameFact, SceneFacts
from summarize_scene.training.choice import chance
from summarize_scene.training.invented_names import invent_camera, invent_label, invent_person
from summarize_scene.vocabulary import load_vocabulary

ZONE = ZoneInfo("America/Sao_Paulo")
HELD_OUT_SHARE = 0.1

_HELD_OUT_OF = 1000
_VEHICLES = ("car", "truck", "motorcycle", "bus", "bicycle", "van", "boat", "train")
_ANIMALS = ("dog", "cat", "bird", "horse", "cow", "sheep")
_BELONGINGS = ("backpack", "handbag", "suitcase", "umbrella", "cell phone", "bottle", "chair")
_LONGEST_S, _SHORTEST_S = 4 * 3600.0, 1.0
_SHORTEST_THROUGHOUT_S = 4.0


@dataclass(frozen=True)
class SceneKind:
    """A kind of scene: how often it comes, and what is seen in it."""

    name: str
    weight: float
    make: Callable[[Random], Sequence[str]]


def _pick(random: Random, pool: Sequence[str], most: int) -> list[str]:
    return random.sample(list(pool), random.randint(1, most))


def _any_labels(random: Random, most: int) -> list[str]:
    known = sorted(load_vocabulary("en").labels.keys() - {"face", "motion"})
    return _pick(random, known, most)


def _alerts(random: Random) -> list[str]:
    seen = _pick(random, sorted(load_vocabulary("en").alert_labels), 2)
    return seen + (_pick(random, ("person", *_VEHICLES), 2) if chance(random, 0.7) else [])


def _people(random: Random) -> list[str]:
    return ["person", *(_pick(random, _BELONGINGS, 2) if chance(random, 0.35) else [])]


def _unknown(random: Random) -> list[str]:
    rest = ["person"] if chance(random, 0.5) else []
    return [invent_label(random), *rest]


KINDS = (
    SceneKind("quiet", 0.09, lambda _random: []),
    SceneKind("motion only", 0.04, lambda _random: ["motion"]),
    SceneKind("faces only", 0.05, lambda _random: ["face"]),
    SceneKind("people", 0.2, _people),
    SceneKind("vehicles", 0.12, lambda random: _pick(random, _VEHICLES, 3)),
    SceneKind("animals", 0.08, lambda random: _pick(random, _ANIMALS, 2)),
    SceneKind("street", 0.14, lambda random: ["person", *_pick(random, _VEHICLES, 3)]),
    SceneKind("anything", 0.13, lambda random: _any_labels(random, 4)),
    SceneKind("crowded", 0.05, lambda random: _any_labels(random, 9)),
    SceneKind("alert", 0.06, _alerts),
    SceneKind("own weights", 0.04, _unknown),
)


def make_scenes(seed: int, *, held_out: bool) -> Iterator[SceneFacts]:
    """Yield scenes without end, either for training or for the evaluation.

    The two kinds never share a combination, whatever the seeds.
    """
    random = Random(seed)  # noqa: S311 - data, no secret
    while True:
        facts = make_scene(random, held_out=held_out)
        if is_held_out(facts) == held_out:
            yield facts


def is_held_out(facts: SceneFacts) -> bool:
    """Tell whether a scene's combination belongs to the evaluation.

    Scenes with fewer than two labels have too few combinations: their camera and minute count too.
    """
    parts = [f"{fact.label}={fact.count}" for fact in sorted(facts.labels, key=lambda f: f.label)]
    parts += [name.name for name in facts.names]
    if len(facts.labels) + len(facts.names) <= 1:
        parts += [facts.camera, f"{facts.start:%H:%M}"]
    number = zlib.crc32("\n".join(parts).encode("utf-8"))
    return number % _HELD_OUT_OF < HELD_OUT_SHARE * _HELD_OUT_OF


def make_scene(random: Random, *, held_out: bool = False) -> SceneFacts:
    """Return one scene; ``held_out`` draws the names of people and cameras from another pool."""
    kind = random.choices(KINDS, [kind.weight for kind in KINDS])[0]
    duration_s = _duration(random)
    is_embedded = chance(random, 0.1)
    seen = list(kind.make(random))
    if is_embedded:
        seen = random.choice([[], ["person"], ["motion"], ["person", "motion"]])
    if "person" in seen and chance(random, 0.35):
        seen.append("face")
    if chance(random, 0.05) and "motion" not in seen and seen:
        seen.append("motion")
    labels = [_label_fact(random, label, duration_s) for label in dict.fromkeys(seen)]
    names = _names(random, duration_s, held_out) if _shows_names(random, seen) else ()
    alert_labels = load_vocabulary("en").alert_labels
    labels.sort(key=lambda fact: _importance(fact, fact.label in alert_labels))
    return SceneFacts(
        camera=invent_camera(random, held_out=held_out),
        start=_start(random),
        start_is_certain=chance(random, 0.92),
        duration_s=duration_s,
        labels=tuple(labels),
        names=names,
        alerts=tuple(fact.label for fact in labels if fact.label in alert_labels),
        embedded_default=is_embedded,
        recognition=bool(names) or chance(random, 0.5),
        is_complete=not chance(random, 0.05),
    )


def _importance(fact: LabelFact, is_alert: bool) -> tuple[object, ...]:
    """Order facts as `fact_rule` does."""
    is_person = fact.label == "person"
    order = ("object", "face", "motion").index(fact.type)
    return (not is_alert, order, not is_person, -fact.frames, -fact.count, fact.label)


def _shows_names(random: Random, seen: Sequence[str]) -> bool:
    return ("face" in seen and chance(random, 0.5)) or (not seen and chance(random, 0.1))


def _names(random: Random, duration_s: float, held_out: bool) -> tuple[NameFact, ...]:
    number = random.choices((1, 2, 3, 4, 6), (60, 25, 8, 4, 3))[0]
    people = dict.fromkeys(invent_person(random, held_out=held_out) for _ in range(number))
    facts = []
    for name in people:
        first, last = _span(random, duration_s)
        facts.append(NameFact(name, random.randint(1, 40), first, last))
    return tuple(sorted(facts, key=lambda fact: (-fact.frames, fact.first_seen, fact.name)))


def _label_fact(random: Random, label: str, duration_s: float) -> LabelFact:
    kinds: dict[str, FactType] = {"face": "face", "motion": "motion"}
    kind = kinds.get(label, "object")
    count = 1 if kind == "motion" else _count(random)
    first, last = _span(random, duration_s)
    is_throughout = duration_s >= _SHORTEST_THROUGHOUT_S and chance(random, 0.15)
    if is_throughout:
        first, last = 0.0, duration_s - 0.5
    different = count + random.choices((0, 1, 2, 3, 7), (30, 30, 20, 10, 10))[0]
    is_followed = kind == "object" and chance(random, 0.3)
    return LabelFact(
        type=kind,
        label=label,
        count=count,
        different=different if is_followed else None,
        first_seen=first,
        last_seen=last,
        peak_at=random.uniform(first, last),
        frames=random.randint(1, 200),
        is_throughout=is_throughout,
    )


def _count(random: Random) -> int:
    few = random.choices((1, 2, 3, 4, 5), (52, 20, 10, 6, 4))[0]
    return few if chance(random, 0.94) else random.choice((6, 7, 8, 9, 10, 11, 12, 15, 23, 40))


def _duration(random: Random) -> float:
    if chance(random, 0.02):
        return 0.0
    if chance(random, 0.25):
        return float(random.choice((5, 10, 15, 20, 30, 40, 45, 60, 90, 120, 300, 600, 1800, 3600)))
    ratio: float = random.random() ** 1.5
    factor: float = (_LONGEST_S / _SHORTEST_S) ** ratio
    return round(_SHORTEST_S * factor, 2)


def _span(random: Random, duration_s: float) -> tuple[float, float]:
    first, last = sorted(random.uniform(0, max(duration_s - 0.1, 0)) for _ in range(2))
    return (first, first) if chance(random, 0.12) else (first, last)


def _start(random: Random) -> datetime:
    minutes = random.randrange(1_200_000)
    if chance(random, 0.08):
        minutes -= minutes % 60
    moment = datetime(2024, 3, 1, tzinfo=ZONE) + timedelta(minutes=minutes)
    return moment.replace(second=random.randrange(60))
