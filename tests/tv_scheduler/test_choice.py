"""Which LogLines a TV shows, in which order, and when that changes by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tv_scheduler.lines import NOW, SAO_PAULO, make_line
from tv_scheduler.choice import (
    MAX_ITEMS,
    Choice,
    Reason,
    choose,
    find_reason,
    window_of,
)
from tv_scheduler.config import load_rules
from tv_scheduler.line import Line
from tv_scheduler.rules import DayHours, Order, Pick, Priority, TvRule

TV1, TV2, TV3 = load_rules(None)
SECOND = int(NOW.timestamp())
LINE = make_line("1")
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = DayHours(18 * 60, 6 * 60)
ALL_DAY = TvRule("tv", Pick(), Order.TIME, 24)

seconds = st.integers(-100_000, 100_000)


def shown(rule: TvRule, lines: list[Line], now: datetime = NOW) -> list[str]:
    return [line.id[-1] for line in choose(rule, lines, now, SAO_PAULO).shown]


def line_at(when: int, name: str = "1", **more: Any) -> Line:
    return replace(LINE, id=f"20261121T000000Z-{name:0>12}", when=when, logged=when, **more)


def test_each_tv_shows_its_statuses() -> None:
    lines = [
        make_line(str(number), status)
        for number, status in enumerate(("confirmado", "curado", "alerta", "experimental"))
    ]
    assert shown(TV1, lines) == ["0", "1"]
    assert shown(TV2, lines) == ["2"]
    assert sorted(shown(TV3, lines)) == ["1", "3"]


@given(seconds, st.integers(0, 999_999))
def test_the_window_has_its_start_and_not_its_end(offset: int, microsecond: int) -> None:
    now = NOW.replace(microsecond=microsecond)
    line = line_at(SECOND + offset)
    start, end = window_of(ALL_DAY, now)
    assert end - start == timedelta(hours=24)
    is_within = start <= datetime.fromtimestamp(line.when, UTC) < end
    assert bool(shown(ALL_DAY, [line], now)) is is_within
    assert is_within is (-24 * 3600 < offset <= 0)


@given(seconds)
def test_a_line_is_on_for_exactly_its_hours(offset: int) -> None:
    line = line_at(SECOND)
    now = datetime.fromtimestamp(SECOND + offset, UTC)
    assert bool(shown(ALL_DAY, [line], now)) is (0 <= offset < 24 * 3600)


@given(st.lists(st.tuples(seconds, st.integers(0, 15)), max_size=30), st.randoms())
def test_order_is_by_time_then_by_id_and_comes_from_nothing_else(
    places: list[tuple[int, int]], random: Any
) -> None:
    lines = [line_at(SECOND + at, f"{number:x}") for at, number in places]
    chosen = choose(TV1, lines, NOW, SAO_PAULO).shown
    assert list(chosen) == sorted(chosen, key=lambda line: (line.when, line.id))
    unique = {line.id: line for line in lines}
    again = list(unique.values())
    random.shuffle(again)
    assert choose(TV1, again, NOW, SAO_PAULO).shown == chosen
    newest = replace(TV1, order=Order.NEWEST)
    assert choose(newest, again, NOW, SAO_PAULO).shown == chosen[::-1]


def test_of_too_many_the_newest_are_shown() -> None:
    lines = [line_at(SECOND - number, f"{number:x}") for number in range(MAX_ITEMS + 3)]
    choice = choose(TV1, lines, NOW, SAO_PAULO)
    assert len(choice.shown) == MAX_ITEMS
    assert choice.shown[-1].when == SECOND
    assert choice.reasons[lines[-1].id] is Reason.MANY
    twice = choose(replace(TV1, repeats=2), lines, NOW, SAO_PAULO)
    assert len(twice.shown) == MAX_ITEMS // 2


def test_of_more_than_max_items_those_with_priority_stay() -> None:
    rule = replace(ALL_DAY, max_items=2, priority=(Priority(Pick(frozenset({"alerta"})), 3, 600),))
    lines = [
        line_at(SECOND - 100, "1", status="alerta"),
        *(line_at(SECOND - number, str(number)) for number in (2, 3, 4)),
    ]
    assert shown(rule, lines) == ["1", "2"]


@given(st.sets(st.integers(0, 10**6), min_size=2, max_size=30), st.randoms())
def test_a_new_item_moves_none_of_those_that_are_shuffled(names: set[int], random: Any) -> None:
    lines = [line_at(SECOND, f"{name:x}") for name in names]
    before = [each.id for each in choose(TV3, lines[1:], NOW, SAO_PAULO).shown]
    random.shuffle(lines)
    after = [each.id for each in choose(TV3, lines, NOW, SAO_PAULO).shown]
    after.remove((set(after) - set(before)).pop())
    assert after == before


def test_it_is_shuffled_another_way_each_hour_and_on_each_tv() -> None:
    lines = [make_line(str(number)) for number in range(10)]
    now = shown(TV3, lines)
    assert now == shown(TV3, lines, NOW + timedelta(minutes=29))
    assert now != shown(TV3, lines, NOW + timedelta(minutes=30))
    assert now != shown(replace(TV3, name="tv9"), lines)
    assert now != sorted(now)
    hour = int(NOW.replace(minute=0, second=0, microsecond=0).timestamp()) + 3600
    assert choose(TV3, lines, NOW, SAO_PAULO).next_edge == hour


REFUSED: dict[Reason, tuple[TvRule, Line]] = {
    Reason.STATUS: (TV2, LINE),
    Reason.CAMERA: (replace(ALL_DAY, pick=Pick(cameras=frozenset({"patio"}))), LINE),
    Reason.LABEL: (replace(ALL_DAY, pick=Pick(labels=frozenset({"dog"}))), LINE),
    Reason.HOURS: (replace(ALL_DAY, hours=(NIGHT,)), LINE),
    Reason.FUTURE: (ALL_DAY, line_at(SECOND + 1)),
    Reason.OLD: (replace(ALL_DAY, max_age_hours=2), line_at(SECOND - 7200)),
    Reason.LONG: (replace(ALL_DAY, max_length_minutes=1), replace(LINE, duration_ms=60_001)),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_each_reason_keeps_a_line_out(reason: Reason) -> None:
    rule, line = REFUSED[reason]
    assert find_reason(rule, line, SECOND, SAO_PAULO) is reason
    choice = choose(rule, [line], NOW, SAO_PAULO)
    assert choice.shown == ()
    assert choice.reasons == {line.id: reason}


def test_what_is_named_is_shown() -> None:
    rule = TvRule(
        "tv",
        Pick(frozenset({"curado"}), frozenset({"portaria", "patio"}), frozenset({"dog", "person"})),
        Order.TIME,
        24,
        hours=(NIGHT, DayHours(9 * 60, 10 * 60)),
        max_age_hours=2,
        max_length_minutes=1,
    )
    line = replace(LINE, when=SECOND - 7199, duration_ms=60_000)
    hours = datetime.fromtimestamp(line.when, SAO_PAULO)
    assert hours.hour == 7
    assert find_reason(rule, line, SECOND, SAO_PAULO) is Reason.HOURS
    assert find_reason(rule, replace(line, when=SECOND), SECOND, SAO_PAULO) is Reason.SHOWN


# The clocks of Berlin go from 3:00 back to 2:00 on 25 October 2026, and from 2:00 to 3:00 on 29 March.
FOLD = int(datetime(2026, 10, 25, 0, 0, tzinfo=UTC).timestamp())
GAP = int(datetime(2026, 3, 29, 0, 0, tzinfo=UTC).timestamp())


@given(st.sampled_from([FOLD, GAP]), st.integers(-12 * 3600, 12 * 3600))
def test_hours_are_what_the_clock_on_the_wall_shows_on_any_night(night: int, offset: int) -> None:
    when = night + offset
    now = datetime.fromtimestamp(when, UTC)
    wall = now.astimezone(BERLIN)
    for hours in (NIGHT, DayHours(2 * 60, 3 * 60), DayHours(150, 24 * 60), DayHours(0, 1)):
        rule = replace(ALL_DAY, hours=(hours,))
        minute = wall.hour * 60 + wall.minute
        inside = (hours.start <= minute < hours.end) or (
            hours.start > hours.end and not hours.end <= minute < hours.start
        )
        found = find_reason(rule, line_at(when), when, BERLIN)
        assert (found is Reason.SHOWN) is inside


def test_the_hour_that_comes_twice_is_in_twice() -> None:
    rule = replace(ALL_DAY, hours=(DayHours(2 * 60, 3 * 60),))
    inside = [
        minute
        for minute in range(0, 240)
        if find_reason(rule, line_at(FOLD + minute * 60), FOLD + 14_400, BERLIN) is Reason.SHOWN
    ]
    assert inside == list(range(0, 120)), "2:00 to 3:00 by both clocks"
    skipped = [
        minute
        for minute in range(0, 240)
        if find_reason(rule, line_at(GAP + minute * 60), GAP + 14_400, BERLIN) is Reason.SHOWN
    ]
    assert skipped == []


@given(st.integers(0, 3600), st.integers(1, 7200))
def test_a_clip_across_midnight_counts_where_it_begins(before_s: int, length_s: int) -> None:
    midnight = int(datetime(2026, 11, 21, 3, 0, tzinfo=UTC).timestamp())
    line = line_at(midnight - before_s, duration_ms=length_s * 1000)
    evening = replace(ALL_DAY, hours=(DayHours(22 * 60, 24 * 60),))
    morning = replace(ALL_DAY, hours=(DayHours(0, 2 * 60),))
    is_before = before_s > 0
    assert (find_reason(evening, line, midnight, SAO_PAULO) is Reason.SHOWN) is is_before
    assert (find_reason(morning, line, midnight, SAO_PAULO) is Reason.SHOWN) is not is_before


@given(st.lists(st.integers(1, 9), max_size=5), st.integers(0, 10_000))
def test_the_highest_priority_counts_while_it_lasts(levels: list[int], age_s: int) -> None:
    priorities = tuple(Priority(Pick(), level, level * 10) for level in levels)
    rule = replace(ALL_DAY, priority=priorities)
    line = line_at(SECOND - age_s)
    lasting = [level for level in levels if age_s < level * 600]
    assert choose(rule, [line], NOW, SAO_PAULO).levels == (
        {line.id: max(lasting)} if lasting else {}
    )


def test_priority_is_for_what_it_names() -> None:
    rule = replace(ALL_DAY, priority=(Priority(Pick(labels=frozenset({"dog"})), 9, 60),))
    assert choose(rule, [LINE], NOW, SAO_PAULO).levels == {}


rules = st.builds(
    TvRule,
    st.just("tv"),
    st.just(Pick()),
    st.sampled_from(Order),
    st.integers(1, 48),
    max_age_hours=st.none() | st.integers(1, 48),
    max_items=st.none() | st.integers(1, 3),
    priority=st.lists(
        st.builds(Priority, st.just(Pick()), st.integers(1, 9), st.integers(1, 90)), max_size=2
    ).map(tuple),
)


@given(rules, st.lists(seconds, max_size=6, unique=True), st.data())
def test_between_now_and_the_next_edge_nothing_changes(
    rule: TvRule, offsets: list[int], data: st.DataObject
) -> None:
    lines = [line_at(SECOND + at, f"{number:x}") for number, at in enumerate(offsets)]

    def look(at: float) -> Choice:
        return choose(rule, lines, datetime.fromtimestamp(at, UTC), SAO_PAULO)

    first = look(SECOND)
    last = first.next_edge if first.next_edge is not None else SECOND + 10**6
    assert last > SECOND
    between = look(data.draw(st.integers(SECOND, last - 1)))
    assert (between.shown, between.levels) == (first.shown, first.levels)
