"""The page's decisions, as functions: properties that hold for every state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.browser import Browser, requires_browser, start_browser
from tests.support.tv_server import PAGE, make_item

pytestmark = [pytest.mark.browser, requires_browser]

EXAMPLES = settings(max_examples=60)
TIMES = st.integers(0, 10_000)
IDS = st.lists(st.sampled_from("abcdefgh"), max_size=12)


@pytest.fixture(scope="module")
def page() -> Iterator[Browser]:
    """Yield a browser with the page, whose own tick is off."""
    with start_browser() as browser:
        browser.before_each_page("window.setInterval = () => 0;")
        browser.open(PAGE.as_uri())
        yield browser


SCENE = st.fixed_dictionaries(
    {
        "rank": st.integers(0, 2),
        "priority": st.integers(-1, 9),
        "key": st.sampled_from("ab"),
        "failed": st.sampled_from(["", "code 3"]),
        "ended": st.booleans(),
        "remainingMs": TIMES,
        "leadMs": st.just(650),
        "lastFrameAt": TIMES,
        "playing": st.booleans(),
        "frames": st.integers(0, 2),
        "playedAt": TIMES,
        "preparedAt": TIMES,
        "ready": st.booleans(),
        "local": st.booleans(),
        "gone": st.booleans(),
    }
)
PICK = st.fixed_dictionaries(
    {
        "how": st.sampled_from(["priority", "sequence", "filler", "fallback"]),
        "rank": st.integers(0, 2),
        "priority": st.integers(-1, 9),
        "key": st.sampled_from("ab"),
        "decodes": st.booleans(),
    }
)
STATE = st.fixed_dictionaries(
    {
        "current": st.none() | SCENE,
        "next": st.none() | SCENE,
        "pick": PICK,
        "fadeSince": st.none() | TIMES,
        "visible": st.booleans(),
        "probing": st.booleans(),
        "single": st.booleans(),
        "skip": st.booleans(),
    }
)


@EXAMPLES
@given(state=STATE, now=TIMES)
def test_every_decision_keeps_the_screen_painted(
    page: Browser, state: dict[str, Any], now: int
) -> None:
    what, why = page.evaluate(
        "return [decide(arguments[0], arguments[1]), dueReason(arguments[0], arguments[1])]",
        state,
        now,
    )
    after = state["next"]
    if what == "show":
        assert after["playing"]
        assert after["frames"] > 0
        assert not after["failed"]
    if what == "start":
        assert why
        assert not after["playing"]
    if what == "finish":
        assert state["fadeSince"] is not None
        assert now - state["fadeSince"] >= 450
    if what == "prepare":
        assert after is None
    if what in ("swap", "drop"):
        assert after is not None
    if after is None and state["fadeSince"] is None and not state["probing"] and why:
        assert what == "prepare"  # what is over always gets a successor


def titles(ids: list[str]) -> dict[str, Any]:
    """Return a playlist document."""
    return {"items": [make_item(name) for name in ids], "valid_s": 60}


MERGE = """
    const [before, at, after] = arguments, old = makeList(before, null);
    if (old === null) return null;
    old.at = at < 0 ? -1 : at % Math.max(old.items.length, 1);
    if (!old.items.length) old.at = -1;
    const list = makeList(after, old);
    return [old.items.map(i => i.key), old.at, list.items.map(i => i.key), list.at];
"""


@EXAMPLES
@given(before=IDS, after=IDS, at=st.integers(-1, 11))
def test_a_new_list_goes_on_where_the_old_one_was(
    page: Browser, before: list[str], after: list[str], at: int
) -> None:
    old, place, new, found = page.evaluate(MERGE, titles(before), at, titles(after))
    assert -1 <= found < max(len(new), 1)
    if place < 0:
        assert found == -1
    elif old[place] in new:
        assert new[found] == old[place]
    else:
        following = [key for key in old[place + 1 :] + old[:place] if key in new]
        if following:
            assert new[(found + 1) % len(new)] == following[0]
        else:
            assert found == -1


ROUND = """
    const [document, ready, bad, shows] = arguments, list = makeList(document, null), seen = new Set(), shown = [];
    const isBad = i => bad.includes(i.id), isReady = i => ready.includes(i.id);
    const w = {list, seen, isBad, isReady, current: null, shownAt: new Map(), held: list.items.filter(isReady)};
    w.hasLoop = true;
    for (let n = 0; n < shows; n++) {
        const pick = choose(w);
        shown.push([pick.key, pick.how, pick.item && pick.item.id]);
        w.current = pick.key;
        if (!pick.item) continue;
        seen.add(pick.item.id);
        w.shownAt.set(pick.key, n + 1);
        if (pick.how === 'sequence') list.at = list.index.get(pick.key);
    }
    return [list.items.map(i => i.key), shown];
"""


@EXAMPLES
@given(
    ids=IDS, ready=st.sets(st.sampled_from("abcdefgh")), bad=st.sets(st.sampled_from("abcdefgh"))
)
def test_only_what_is_here_and_good_is_chosen(
    page: Browser, ids: list[str], ready: set[str], bad: set[str]
) -> None:
    names = {name: f"2026-11-21-{name}" for name in "abcdefgh"}
    keys, shown = page.evaluate(
        ROUND, titles(ids), [names[n] for n in ready], [names[n] for n in bad], 2 * len(ids) + 2
    )
    playable = [key for key in keys if key[-3] in ready - bad]
    for _, how, name in shown:
        assert (how == "fallback") == (not playable)
        assert name is None or name[-1] in ready - bad
    expected = [key for key in keys if key[-3] not in bad]
    if expected and expected == playable:
        # All is here: each once a round, in order.
        assert [key for key, _, _ in shown] == (expected * (len(shown) // len(expected) + 1))[
            : len(shown)
        ]
    elif len(playable) > 1:
        assert all(one[0] != other[0] for one, other in pairwise(shown))


def test_priority_comes_once_and_the_highest_first(page: Browser) -> None:
    document = {
        "items": [
            make_item("a"),
            make_item("b", priority=2),
            make_item("c", priority=7),
            make_item("d"),
        ]
    }
    names = [item["logline_id"] for item in document["items"]]
    _, shown = page.evaluate(ROUND, document, names, [], 7)
    assert [name[-1] for _, _, name in shown] == list("cbabcda")


@EXAMPLES
@given(
    begin=st.integers(0, 23),
    end=st.integers(0, 23),
    second=st.integers(1_767_225_600, 1_798_761_600),
    offset=st.sampled_from([-180, 0, 330, 60]),
)
def test_night_is_what_the_box_calls_so(
    page: Browser, begin: int, end: int, second: int, offset: int
) -> None:
    told = page.evaluate(
        "return isNight([0, arguments[0], arguments[1]], arguments[2], arguments[3], arguments[4])",
        begin,
        end,
        second * 1000 - 5000,
        5000,
        offset,
    )
    hour = datetime.fromtimestamp(second, timezone(timedelta(minutes=offset))).hour
    assert told == (begin <= hour < end if begin <= end else hour >= begin or hour < end)


@pytest.mark.parametrize(
    ("net", "now", "expected"),
    [
        ({"freshAt": None, "ageS": None}, 10**6, None),
        ({"freshAt": 0, "ageS": None}, 299_000, None),
        ({"freshAt": 0, "ageS": 250}, 20_000, None),
        ({"freshAt": 0, "ageS": 250}, 60_000, {"why": "old", "ageS": 310}),
        ({"freshAt": 0, "ageS": None}, 400_000, {"why": "unreachable", "ageS": 400}),
    ],
)
def test_staleness(page: Browser, net: dict[str, Any], now: int, expected: object) -> None:
    assert page.evaluate("return staleness(arguments[0], 300, arguments[1])", net, now) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"verified": False},
        {"verified": "true"},
        {"logline_id": 7},
        {"media": "//elsewhere.example/media/" + "0" * 64 + ".mp4"},
        {"media": "/media/../secret.mp4"},
        {"media": 5},
        {"poster": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_items_that_are_not_taken(page: Browser, change: dict[str, Any]) -> None:
    assert page.evaluate("return parseItem(arguments[0])", make_item("a")) is not None
    assert page.evaluate("return parseItem(arguments[0])", {**make_item("a"), **change}) is None


def test_words_about_time(page: Browser) -> None:
    ages = page.evaluate("return [5, 60, 3599, 3600, 86400, 200000].map(ageText)")
    assert ages == ["1 min", "1 min", "59 min", "1 h 0 min", "24 h 0 min", "2 d"]
    assert page.evaluate("return ['', null, 'x'].map(timeText)") == ["", "", ""]
    waits = page.evaluate(
        "return ['fetch', 'file'].map(k => [1, 2, 3, 20].map(n => backoffMs(k, n) / 1000))"
    )
    assert waits == [[5, 10, 20, 1800], [30, 60, 120, 1800]]
