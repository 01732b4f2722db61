"""``vv-playlist --explain``: looks for itself, so that it is right though nothing runs, and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tv_scheduler.choice import choose, sort_by_time
from tv_scheduler.explain import (
    REFUSED,
    UNREADABLE,
    explain_file,
    explain_line,
    explain_unknown,
)
from tv_scheduler.index import SUFFIX, NoIndex
from tv_scheduler.loglines import LogLines
from tv_scheduler.rules import TvRule
from vv_core.clock import Clock
from vv_core.errors import UsageError
from vv_core.settings import Settings

_BUDGET_S = 3600.0


def explain(
    settings: Settings, clock: Clock, rules: Sequence[TvRule], tv: str, wanted: str | None
) -> Iterator[str]:
    """Yield a line of text for each LogLine, the newest last.

    Args:
        settings: of the box.
        clock: the time.
        rules: of the TVs.
        tv: which TV.
        wanted: id or file name of one LogLine; None: all of the TV's hours.

    Raises:
        UsageError: no TV is called so.
        VvError: something cannot be read.
    """
    rule = next((rule for rule in rules if rule.name == tv), None)
    if rule is None:
        raise UsageError(
            f"no TV is called {tv!r}",
            advice=f"The rules name {', '.join(rule.name for rule in rules)}.",
        )
    for entry in _entries(settings, clock, rule, wanted):
        yield f"{entry['when'] or '–'} {entry['logline_id']}: {entry['text'][settings.language]}"


def _entries(
    settings: Settings, clock: Clock, rule: TvRule, wanted: str | None
) -> Iterator[dict[str, Any]]:
    storage = settings.storage
    lines = LogLines(storage.loglines, storage.log, NoIndex(storage.loglines), clock)
    lines.poll(has_heard=False)
    while not lines.is_whole:
        lines.work(rule.reach_s, _BUDGET_S)
    found = lines.known.found
    choice = choose(rule, found.lines, clock.now(), settings.zone)
    if wanted is None:
        chosen = sort_by_time(found.lines)
    else:
        file = f"{wanted.removesuffix(SUFFIX)}{SUFFIX}"
        named = lines.known.line_in(file)
        chosen = [line for line in found.lines if line.id == wanted or line is named]
    yield from (explain_line(rule, line, choice, settings.zone) for line in chosen)
    files = ((REFUSED, found.refused), (UNREADABLE, found.unreadable))
    named_files = [
        explain_file(name, code, problem)
        for code, problems in files
        for name, problem in sorted(problems.items())
        if wanted is None or name == file
    ]
    yield from named_files
    if wanted is not None and not chosen and not named_files:
        yield explain_unknown(rule, wanted)
