"""Which files go, as a property of facts: whatever the facts are, some things never happen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vv_core.atomic import TEMP_PREFIX
from vv_core.retention.decision import (
    DAY_S,
    SCREEN_S,
    FileFact,
    Known,
    Plan,
    Reason,
    Removal,
    SpaceLimit,
    Video,
    plan_removals,
)
from vv_core.retention.policy import CLEANABLE, OUTSIDE, FolderRule, RetentionPolicy

NOW = 2_000_000_000.0
SHA = "5" * 64
VIDEOS = {
    "cam/a.mp4": Video(SHA, NOW - 100 * DAY_S, "a"),
    "b.c.mp4": Video("6" * 64, NOW - 100 * DAY_S, "b.c"),
    "new.mp4": Video("7" * 64, NOW - 3 * DAY_S, "new"),
}
ALL = RetentionPolicy({area: FolderRule(30) for area in (*CLEANABLE, OUTSIDE)}, 24)
BAD = Video("8" * 64, NOW - 40 * DAY_S, "bad")
LATE = Video("9" * 64, NOW - 3 * DAY_S, "late")
QUARANTINED = {
    **dict.fromkeys(("cam/bad.mp4", "cam/bad.mp4.meta.json"), BAD),
    **dict.fromkeys(("late.mp4", "late.mp4.meta.json"), LATE),
}
KNOWN = Known(NOW, VIDEOS, QUARANTINED)


def fact(area: str, name: str, days: float = 100, **more: int) -> FileFact:
    return FileFact(f"/box/{area}/{name}", area, name, 10, NOW - days * DAY_S, **more)


def reason(one: FileFact, policy: RetentionPolicy = ALL, known: Known = KNOWN) -> Reason:
    """Return why one file goes or stays."""
    plan = plan_removals([one], policy, known)
    if plan.removals:
        assert plan.kept == {}
        return plan.removals[0].reason
    ((found, count),) = plan.kept.items()
    assert count == 1
    return found


CASES = [
    ("processed", "cam/a.mp4", Reason.OLD),
    ("processed", "b.c.mp4", Reason.OLD),
    ("processed", "a.mp4", Reason.UNPROCESSED),
    ("processed", "new.mp4", Reason.YOUNG),
    ("analytic", "a.analytic.json", Reason.OLD),
    ("analytic", "a.pictures/person-1.jpg", Reason.OLD),
    ("analytic", "b.c.analytic.json", Reason.OLD),
    ("analytic", "b.analytic.json", Reason.UNPROCESSED),
    ("analytic", "ab.analytic.json", Reason.UNPROCESSED),
    ("analytic", "a", Reason.UNPROCESSED),
    ("summaries", "a.summary.json", Reason.OLD),
    ("summaries", "queued.summary.json", Reason.UNPROCESSED),
    ("input", "cam/a.mp4", Reason.PROTECTED),
    ("raw", "cam/a.mp4", Reason.PROTECTED),
    ("corrupted", "cam/bad.mp4", Reason.OLD),
    ("corrupted", "cam/bad.mp4.meta.json", Reason.OLD),
    ("corrupted", "late.mp4", Reason.YOUNG),
    ("corrupted", "late.mp4.meta.json", Reason.YOUNG),
    ("corrupted", "bad.mp4", Reason.UNPROCESSED),
    ("corrupted", "cam/a.mp4", Reason.UNPROCESSED),
    ("processed", "cam/bad.mp4", Reason.UNPROCESSED),
    ("loglines", "a.logline.json", Reason.PROTECTED),
    ("loglines", "log/tile/0/000", Reason.PROTECTED),
    ("models", "x.gguf", Reason.PROTECTED),
    ("orchestrator_data", "processed_videos.log", Reason.PROTECTED),
    ("fallback", "loop_silencioso.mp4", Reason.PROTECTED),
    ("", "file-in-the-root", Reason.PROTECTED),
    ("logs", "app.log.1", Reason.OLD),
    ("logs", "hmac_keys.json", Reason.PROTECTED),
    ("logs", "log_signing_key.pem", Reason.PROTECTED),
    ("logs", ".hidden", Reason.PROTECTED),
    ("logs", ".cache/app.log.1", Reason.PROTECTED),
    ("exports", "old.vvproof", Reason.OLD),
    (OUTSIDE, "tmp/thing", Reason.OLD),
    (OUTSIDE, "home/me/x.logline.json", Reason.PROTECTED),
    (OUTSIDE, "home/me/KEY.PEM", Reason.PROTECTED),
    (OUTSIDE, f"tmp/{TEMP_PREFIX}1", Reason.PROTECTED),
    ("input", f"{TEMP_PREFIX}1", Reason.PROTECTED),
    ("raw", f"cam/{TEMP_PREFIX}1", Reason.PROTECTED),
    ("loglines", f"log/{TEMP_PREFIX}1", Reason.TEMPORARY),
    ("orchestrator_data", f"{TEMP_PREFIX}1.json", Reason.TEMPORARY),
    ("processed", f"cam/{TEMP_PREFIX}1.mp4", Reason.TEMPORARY),
]


@pytest.mark.parametrize(("area", "name", "expected"), CASES)
def test_what_is_old_goes_unless_it_is_needed(area: str, name: str, expected: Reason) -> None:
    assert reason(fact(area, name)) is expected


@pytest.mark.parametrize("area", [*CLEANABLE, OUTSIDE])
def test_a_folder_without_a_rule_is_never_cleaned(area: str) -> None:
    policy = RetentionPolicy({}, 24)
    assert reason(fact(area, "cam/a.mp4"), policy) is Reason.PROTECTED


def test_age_counts_from_the_exact_day() -> None:
    assert reason(fact("logs", "a.log", 30)) is Reason.OLD
    assert reason(fact("logs", "a.log", 29.999)) is Reason.YOUNG


def test_an_old_recording_that_was_processed_lately_is_young() -> None:
    assert reason(fact("processed", "new.mp4", 400)) is Reason.YOUNG
    assert reason(fact("analytic", "new.analytic.json", 400)) is Reason.YOUNG


def test_names_of_rule_and_command_line_are_excluded() -> None:
    policy = RetentionPolicy({"logs": FolderRule(30, ("*.important",))}, 24)
    assert reason(fact("logs", "x.important"), policy) is Reason.EXCLUDED
    known = replace(KNOWN, exclude=("temp_*",))
    assert reason(fact("logs", "cam/temp_1"), policy, known) is Reason.EXCLUDED
    assert reason(fact("logs", "x.log"), policy, known) is Reason.OLD


def test_what_a_playlist_shows_stays_by_hash_and_by_name() -> None:
    by_hash = replace(KNOWN, shown_hashes=("5555555555555555",))
    assert reason(fact("processed", "cam/a.mp4"), known=by_hash) is Reason.ON_SCREEN
    assert reason(fact("analytic", "a.pictures/x.jpg"), known=by_hash) is Reason.ON_SCREEN
    assert reason(fact("processed", "b.c.mp4"), known=by_hash) is Reason.OLD
    by_name = replace(KNOWN, shown_names=frozenset({"advert.mp4"}))
    assert reason(fact("tv_curado", "x/advert.mp4"), known=by_name) is Reason.ON_SCREEN
    assert reason(fact("tv_curado", "x/other.mp4"), known=by_name) is Reason.OLD


CLIP = f"{'c7' * 32}.mp4"


def test_a_clip_that_was_made_goes_when_no_playlist_can_have_it_any_more() -> None:
    policy = RetentionPolicy({"tv_clips": FolderRule(2)}, 24)
    known = replace(KNOWN, clips_stay_s=8 * DAY_S)
    assert reason(fact("tv_clips", CLIP, 8.01), policy, known) is Reason.OLD
    assert reason(fact("tv_clips", CLIP, 7.99), policy, known) is Reason.ON_SCREEN
    shown = replace(known, shown_names=frozenset({CLIP}))
    assert reason(fact("tv_clips", CLIP, 100), policy, shown) is Reason.ON_SCREEN
    blind = replace(known, can_tell_shown=False)
    assert reason(fact("tv_clips", CLIP, 100), policy, blind) is Reason.ON_SCREEN
    assert reason(fact("tv_curado", "advert.mp4"), policy, known) is Reason.PROTECTED


def test_while_a_playlist_cannot_be_read_nothing_that_it_may_show_goes() -> None:
    blind = replace(KNOWN, can_tell_shown=False)
    for area, name in (("processed", "cam/a.mp4"), ("tv_curado", "x.mp4")):
        assert reason(fact(area, name), known=blind) is Reason.ON_SCREEN
    assert reason(fact("logs", "app.log.1"), known=blind) is Reason.OLD


def test_what_the_playlist_before_may_have_shown_stays() -> None:
    day = RetentionPolicy({"processed": FolderRule(1), "logs": FolderRule(1)}, 24)
    video = {"x.mp4": Video(SHA, NOW - 1.5 * DAY_S, "x")}
    known = Known(NOW, video)
    assert reason(fact("processed", "x.mp4", 9), day, known) is Reason.ON_SCREEN
    assert reason(fact("logs", "app.log.1", 1.5), day, known) is Reason.OLD


def test_left_overs_wait_their_hours() -> None:
    young, old = 0.99, 1.0
    assert reason(fact("analytic", f"{TEMP_PREFIX}1", young)) is Reason.YOUNG
    assert reason(fact("analytic", f"{TEMP_PREFIX}1", old)) is Reason.TEMPORARY


def names(plan: Plan) -> list[str]:
    return [removal.fact.name for removal in plan.removals]


def test_the_oldest_go_first_until_there_is_space() -> None:
    facts = [fact("logs", f"{days}.log", days, device=1) for days in (50, 90, 70, 40)]
    facts.append(fact("logs", "other-disk.log", 99, device=2))
    assert names(plan_removals(facts, ALL, KNOWN, {1: 20, 2: 0})) == ["90.log", "70.log"]
    assert names(plan_removals(facts, ALL, KNOWN, {1: 11})) == ["90.log", "70.log"]
    plan = plan_removals(facts, ALL, KNOWN, {1: 0})
    assert (plan.removals, plan.kept) == ((), {Reason.SPACE_ENOUGH: 5})
    assert len(plan_removals(facts, ALL, KNOWN, {1: 10**9}).removals) == 4
    assert len(plan_removals(facts, ALL, KNOWN).removals) == 5


def test_a_quarantined_video_goes_before_what_says_why() -> None:
    facts = [
        fact("corrupted", "cam/bad.mp4.meta.json", 300),
        fact("corrupted", "cam/bad.mp4", 200),
        fact("logs", "a.log", 250),
    ]
    expected = ["a.log", "cam/bad.mp4", "cam/bad.mp4.meta.json"]
    assert names(plan_removals(facts, ALL, KNOWN)) == expected


def test_left_overs_go_without_want_of_space() -> None:
    facts = [fact("analytic", f"{TEMP_PREFIX}1"), fact("logs", "a.log")]
    assert names(plan_removals(facts, ALL, KNOWN, {})) == [f"{TEMP_PREFIX}1"]


@pytest.mark.parametrize(
    ("limit", "free", "total", "needed"),
    [
        (SpaceLimit(least_bytes=100), 40, 1000, 60),
        (SpaceLimit(least_bytes=100), 100, 1000, 0),
        (SpaceLimit(percent=15), 40, 1000, 110),
        (SpaceLimit(percent=15), 900, 1000, 0),
    ],
)
def test_what_lacks(limit: SpaceLimit, free: int, total: int, needed: int) -> None:
    assert limit.needed(free, total) == needed


AREAS = st.sampled_from(
    [
        *("processed", "analytic", "summaries", "tv_curado", "exports", "logs", "input", "raw"),
        *(
            "corrupted",
            "loglines",
            "models",
            "orchestrator_data",
            "playlists",
            "fallback",
            "",
            OUTSIDE,
        ),
    ]
)
BASES = st.sampled_from(
    [
        *("a.mp4", "b.c.mp4", "new.mp4", "a.analytic.json", "b.c.summary.json", "x.log", ".hidden"),
        *(f"{TEMP_PREFIX}9", "k.pem", "a.logline.json", "hmac_keys.json", "shown.mp4"),
        *("bad.mp4", "bad.mp4.meta.json", "late.mp4"),
    ]
)
NAMES = st.builds(lambda folder, base: folder + base, st.sampled_from(["", "cam/", "log/"]), BASES)
FACTS = st.lists(
    st.builds(
        lambda area, name, size, days, device: FileFact(
            f"/box/{area}/{name}", area, name, size, NOW - days * DAY_S, device
        ),
        AREAS,
        NAMES,
        st.integers(0, 1000),
        st.floats(-5, 500),
        st.integers(1, 2),
    ),
    max_size=30,
    unique_by=lambda each: each.path,
)
POLICIES = st.builds(
    RetentionPolicy,
    st.dictionaries(
        st.sampled_from([*CLEANABLE, OUTSIDE]), st.builds(FolderRule, st.integers(1, 400))
    ),
    st.integers(1, 100),
)
STATES = st.builds(
    lambda videos, bad, can_tell: Known(
        NOW,
        {name: VIDEOS[name] for name in videos},
        {name: QUARANTINED[name] for name in bad},
        shown_hashes=("66666666",),
        shown_names=frozenset({"shown.mp4"}),
        can_tell_shown=can_tell,
    ),
    st.sets(st.sampled_from(sorted(VIDEOS))),
    st.sets(st.sampled_from(sorted(QUARANTINED))),
    st.booleans(),
)
NEEDS = st.none() | st.dictionaries(st.integers(1, 2), st.integers(0, 5000))


@given(FACTS, POLICIES, STATES, NEEDS)
def test_whatever_the_facts_some_things_never_go(
    facts: list[FileFact], policy: RetentionPolicy, known: Known, needed: dict[int, int] | None
) -> None:
    plan = plan_removals(facts, policy, known, needed)
    assert len(plan.removals) + sum(plan.kept.values()) == len(facts), "each file is decided once"
    for removal in plan.removals:
        one, base = removal.fact, removal.fact.name.rsplit("/", 1)[-1]
        assert one.area not in {"input", "raw"}
        if removal.reason is Reason.TEMPORARY:
            assert base.startswith(TEMP_PREFIX)
            assert NOW - one.changed >= policy.temporary_hours * 3600
            continue
        assert one.area in policy.folders
        assert not base.startswith(".")
        assert not base.endswith((".pem", ".logline.json", "hmac_keys.json"))
        assert NOW - one.changed >= policy.folders[one.area].days * DAY_S
        if one.area in {"processed", "analytic", "summaries"}:
            assert removal.video in known.videos.values()
        if one.area == "corrupted":
            assert removal.video is known.quarantined[one.name]
            assert NOW - removal.video.finished >= policy.folders[one.area].days * DAY_S
        if one.area in {"processed", "analytic", "tv_curado"}:
            assert known.can_tell_shown
            assert base != "shown.mp4"
            assert NOW - one.changed >= SCREEN_S
            assert removal.video is None or not removal.video.sha256.startswith("6")


def is_meta(removal: Removal) -> bool:
    return removal.fact.name.endswith(".meta.json")


@given(FACTS, POLICIES, STATES, st.dictionaries(st.integers(1, 2), st.integers(0, 5000)))
def test_for_space_no_more_goes_than_is_needed_and_no_younger_file_before_an_older(
    facts: list[FileFact], policy: RetentionPolicy, known: Known, needed: dict[int, int]
) -> None:
    everything = plan_removals(facts, policy, known).removals
    chosen = plan_removals(facts, policy, known, needed).removals
    assert set(chosen) <= set(everything)
    for device in (1, 2):
        old = [one for one in everything if one.fact.device == device]
        gone = [one for one in chosen if one.fact.device == device]
        aged = [one for one in gone if one.reason is Reason.OLD]
        freed = sum(one.fact.size for one in gone)
        assert freed >= min(needed.get(device, 0), sum(one.fact.size for one in old))
        if aged:
            before = sum(one.fact.size for one in gone[: gone.index(aged[-1])])
            assert before < needed[device], "the last one was not needed"
            spared = [one.fact.changed for one in old if one not in gone and not is_meta(one)]
            assert all(aged[-1].fact.changed <= moment for moment in spared)


@given(FACTS, POLICIES, STATES, st.integers(0, 50))
def test_longer_rules_never_remove_more(
    facts: list[FileFact], policy: RetentionPolicy, known: Known, more: int
) -> None:
    longer = {area: FolderRule(rule.days + more) for area, rule in policy.folders.items()}
    kept_longer = plan_removals(facts, replace(policy, folders=longer), known)
    assert {one.fact for one in kept_longer.removals} <= {
        one.fact for one in plan_removals(facts, policy, known).removals
    }
