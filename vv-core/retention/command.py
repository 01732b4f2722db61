"""``cleanup_old_files``: remove what is older than the rules of retention say."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vv_core.cli import CommandParser, run_command
from vv_core.errors import ConfigError, UsageError
from vv_core.logs import setup_logging
from vv_core.ownership import act_as_owner
from vv_core.retention.cleanup import Request, run_cleanup
from vv_core.retention.decision import SpaceLimit
from vv_core.retention.looking import Places, Target, folder_of, sweep_targets
from vv_core.retention.policy import (
    CLEANABLE,
    CLIPS,
    MAX_DAYS,
    OUTSIDE,
    FolderRule,
    RetentionPolicy,
    load_policy,
)
from vv_core.settings import load_settings

PROG = "cleanup_old_files"
_SPACE = re.compile(r"(?P<number>[0-9]{1,9}(?:[.,][0-9]{1,3})?) ?(?P<unit>%|GB|MB|TB)?", re.I)
_CLIPS_FOLDER = "tv_curado"
_NAMED = tuple(area for area in CLEANABLE if area != CLIPS)
"""Folders of that name; clips that were made lie among others."""
_UNITS = {"mb": 10**6, "gb": 10**9, "tb": 10**12}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = build_parser().parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def build_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        PROG,
        "Remove files that are older than the rules say (vv-core/retention/policy.yaml, or VV_RETENTION_FILE).",
        epilog="Never removed: what was not processed, keys, state, the provable log (vv-log prune), what TVs show, "
        "what a link leads to. A removed video becomes a line of the log. See docs/operations.md.",
    )
    parser.add_argument(
        "--days", type=_days, metavar="N", help="age in days, instead of what the rules say"
    )
    parser.add_argument(
        "--dirs",
        type=_list,
        default=[],
        metavar="DIR,…",
        help="only these folders or files: paths, or processed, analytic, summaries, tv_curado, exports, logs",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    parser.add_argument(
        "--log-file", type=Path, metavar="FILE", help="append a line for each file to this file"
    )
    parser.add_argument(
        "--min-free-space",
        type=parse_space,
        metavar="GB|%",
        help="only where less is free (10, 10GB, 15%%), and only until so much is",
    )
    parser.add_argument(
        "--exclude-patterns",
        type=_list,
        default=[],
        metavar="PATTERN,…",
        help='names that stay, as "*.important,temp_*"',
    )
    parser.add_argument(
        "--allow-outside", action="store_true", help="let --dirs name places that are not the box's"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _days(raw_text: str) -> int:
    if not raw_text.isascii() or not raw_text.isdigit() or not 1 <= int(raw_text[:9]) <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MAX_DAYS}")
    return int(raw_text)


def _list(raw_text: str) -> list[str]:
    return [part.strip() for part in raw_text.split(",") if part.strip()]


def parse_space(raw_text: str) -> SpaceLimit:
    """Return the limit that a text names: gigabytes (10^9 bytes), another unit, or per cent.

    Raises:
        argparse.ArgumentTypeError: it names none.
    """
    match = _SPACE.fullmatch(raw_text.strip())
    if match is None:
        raise argparse.ArgumentTypeError("must be gigabytes or per cent, as 10 or 15%")
    number = float(match["number"].replace(",", "."))
    if match["unit"] == "%":
        if number > 100:  # noqa: PLR2004 - per cent
            raise argparse.ArgumentTypeError("must be at most 100%")
        return SpaceLimit(percent=number)
    return SpaceLimit(least_bytes=round(number * _UNITS[(match["unit"] or "GB").lower()]))


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    act_as_owner(settings)
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    places = Places.of(settings)
    if not os.path.isdir(places.root):  # noqa: PTH112
        raise ConfigError(
            f"there is no data below {places.root!r}",
            advice="Run make setup, or set VIDEO_STORAGE_ROOT.",
        )
    policy = load_policy(
        settings.resolve(settings.retention_file) if settings.retention_file else None
    )
    targets = plan_targets(arguments, places, policy)
    request = Request(
        targets=targets,
        policy=plan_policy(arguments.days, policy, targets, places),
        space=arguments.min_free_space,
        exclude=tuple(arguments.exclude_patterns),
        is_dry=arguments.dry_run,
        is_json=arguments.json,
        log_file=arguments.log_file,
    )
    return run_cleanup(settings, places, request)


def plan_targets(
    arguments: argparse.Namespace, places: Places, policy: RetentionPolicy
) -> list[Target]:
    """Return what to look at.

    Raises:
        UsageError: a folder is named that is never cleaned.
    """
    if not arguments.dirs:
        return sweep_targets(places, list(policy.folders))
    targets = []
    for raw_name in arguments.dirs:
        path = folder_of(places, raw_name) if raw_name in _NAMED else _real_path(raw_name)
        area, _ = places.area_of(path)
        if area not in {*CLEANABLE, OUTSIDE}:
            raise UsageError(
                f"{raw_name!r} is never cleaned",
                advice=f"Name one of {', '.join(_NAMED)}, or a folder in it.",
            )
        if area == OUTSIDE and not arguments.allow_outside:
            raise UsageError(
                f"{raw_name!r} is none of the box's own folders",
                advice="If that is what you want, add --allow-outside.",
            )
        if area not in policy.folders and arguments.days is None:
            raise UsageError(
                f"no rule says how long {raw_name!r} is kept",
                advice="Say it: --days N; or add a rule (VV_RETENTION_FILE).",
            )
        targets.append(Target(path, is_asked_for=True))
    return targets


def _real_path(raw_name: str) -> str:
    """Return an absolute path in which only the last name may be a link."""
    path = os.path.abspath(raw_name)
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))  # noqa: PTH120, PTH119


def plan_policy(
    days: int | None, policy: RetentionPolicy, targets: Sequence[Target], places: Places
) -> RetentionPolicy:
    """Return the rules that hold for this run: with ``days``, those for the folders looked at."""
    if days is None:
        return policy
    areas = {places.area_of(target.path)[0] for target in targets if not target.only_temporary}
    if _CLIPS_FOLDER in areas:
        areas.add(CLIPS)
    kept = {name: rule.exclude for name, rule in policy.folders.items()}
    return replace(policy, folders={area: FolderRule(days, kept.get(area, ())) for area in areas})


if __name__ == "__main__":
    sys.exit(main())
