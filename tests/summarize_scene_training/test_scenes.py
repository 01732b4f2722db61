"""The made-up scenes: seeded, of every kind, and apart from those of the evaluation."""

from __future__ import annotations

from itertools import islice
from random import Random

from summarize_scene.facts import SceneFacts
from summarize_scene.training.invented_names import invent_person
from summarize_scene.training.scenes import HELD_OUT_SHARE, is_held_out, make_scene, make_scenes

SCENES = 1500


def scenes(seed: int, *, held_out: bool = False, number: int = SCENES) -> list[SceneFacts]:
    return list(islice(make_scenes(seed, held_out=held_out), number))


def combination(facts: SceneFacts) -> tuple[object, ...]:
    labels = tuple(sorted((fact.label, fact.count) for fact in facts.labels))
    return labels, tuple(name.name for name in facts.names)


def test_the_same_seed_gives_the_same_scenes() -> None:
    assert scenes(3, number=50) == scenes(3, number=50)
    assert scenes(3, number=50) != scenes(4, number=50)


def test_every_kind_of_scene_comes() -> None:
    found = scenes(1)
    assert any(facts.is_quiet for facts in found)
    assert any(facts.alerts for facts in found)
    assert any(facts.embedded_default for facts in found)
    assert any(not facts.is_complete for facts in found)
    assert any(not facts.start_is_certain for facts in found)
    assert any(not facts.camera for facts in found)
    assert any(len(facts.names) > 4 for facts in found)
    assert any(facts.face and facts.recognition and not facts.names for facts in found)
    assert any(len(facts.objects) > 4 for facts in found)
    assert any(fact.is_throughout for facts in found for fact in facts.labels)
    assert any(fact.count > 10 for facts in found for fact in facts.labels)
    assert any(facts.duration_s == 0 for facts in found)
    assert max(facts.duration_s for facts in found) > 3600
    assert {facts.start.hour for facts in found} == set(range(24))
    assert {"car", "dog", "person", "motion", "face"} <= {
        fact.label for facts in found for fact in facts.labels
    }


def test_facts_hang_together() -> None:
    for facts in scenes(2):
        for fact in facts.labels:
            assert 0 <= fact.first_seen <= fact.peak_at <= fact.last_seen <= facts.duration_s
            assert fact.different is None or fact.different >= fact.count
        assert all(alert in {fact.label for fact in facts.labels} for alert in facts.alerts)
        assert not facts.names or facts.recognition


def test_a_combination_of_the_evaluation_is_never_trained() -> None:
    trained = scenes(7)
    evaluated = scenes(7, held_out=True)
    assert not any(map(is_held_out, trained))
    assert all(map(is_held_out, evaluated))
    several = {combination(f) for f in evaluated if len(f.labels) + len(f.names) > 1}
    assert several
    assert not several & {combination(facts) for facts in trained}


def test_the_share_that_is_held_out() -> None:
    random = Random(5)
    share = sum(is_held_out(make_scene(random)) for _ in range(SCENES)) / SCENES
    assert abs(share - HELD_OUT_SHARE) < 0.04


def test_the_evaluation_has_names_of_its_own() -> None:
    random = Random(1)
    first = {invent_person(random, held_out=False).split("_")[0] for _ in range(500)}
    second = {invent_person(random, held_out=True).split("_")[0] for _ in range(500)}
    assert len(second - first) > 100
