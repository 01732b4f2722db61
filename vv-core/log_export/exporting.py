"""One export: the logs of a day into an archive, its manifest, and old exports away."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from vv_core.alerts import split_urls
from vv_core.atomic import atomic_path, fsync_directory, write_json_atomic
from vv_core.clock import Clock
from vv_core.errors import InputDataError, InputMissingError, VvError, from_oserror
from vv_core.log_export.containers import list_services, read_service
from vv_core.log_export.manifest import (
    ARCHIVE_SUFFIX,
    MANIFEST_SUFFIX,
    build_manifest,
    holds_more,
    verify_export,
)
from vv_core.log_export.packing import Member, fill_member, write_archive
from vv_core.log_export.reading import Problem, find_logs, has_moved, read_lines
from vv_core.log_export.selection import Day, LogFile, is_expired, plan_reading, select_lines
from vv_core.logs import get_logger
from vv_core.settings import Settings
from vv_core.utils import compute_sha256

ARCHIVE_MODE = 0o640
_TRIES = 3
_SHORTEST_SECRET = 8
_logger = get_logger("log_export")


@dataclass
class Export:
    """What became of an export.

    Attributes:
        action: "written", "unchanged" (the same is there), "kept" (what is there holds more), "nothing" (no log has
            a line of the day) or "dry_run".
        manifest: of the archive that is there now; of a dry run, what it would hold.
        problems: logs that could not be read, and why.
        pruned: names of old exports that were removed.
    """

    action: str
    manifest: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)
    pruned: list[str] = field(default_factory=list)


def sources_of(settings: Settings) -> list[Path]:
    """Return the folders whose logs are packed."""
    named = [part.strip() for part in settings.log_source_directories.split(",") if part.strip()]
    return [settings.resolve(Path(part)) for part in named or [str(settings.log_dir)]]


def destination_of(settings: Settings) -> Path:
    """Return the folder of exports."""
    if settings.log_export_destination is not None:
        return settings.resolve(settings.log_export_destination)
    return settings.storage.exports / "logs"


def secrets_of(settings: Settings) -> list[bytes]:
    """Return the secrets that stand in settings, the longest first; no archive may hold one."""
    found: set[str] = set()
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            text = value.get_secret_value()
            found.update({text, *split_urls(text)})
    usable = (text.encode() for text in found if len(text) >= _SHORTEST_SECRET)
    return sorted(usable, key=lambda secret: (-len(secret), secret))


def export_day(
    settings: Settings, day: Day, clock: Clock, *, with_containers: bool, is_dry: bool = False
) -> Export:
    """Pack the logs of a day.

    Raises:
        VvError: the destination cannot be written, or holds a damaged export of that day.
    """
    folder = destination_of(settings)
    try:
        if not is_dry:
            folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            members, problems = _collect(settings, day, stack, folder, with_containers)
            export = _write(
                settings, day, members, problems, clock=clock, folder=folder, is_dry=is_dry
            )
        if not is_dry:
            export.pruned = _prune(folder, clock.now().astimezone(settings.zone).date(), settings)
    except OSError as exc:
        raise from_oserror(exc, "export the logs") from exc
    for path, reason in export.problems:
        _logger.warning("a log is not in the export: %s: %s", path, reason)
    _logger.info("export %s", export.action, extra={"fields": {"day": day.name.isoformat()}})
    return export


def _collect(
    settings: Settings, day: Day, stack: ExitStack, folder: Path, with_containers: bool
) -> tuple[list[Member], list[Problem]]:
    """Return what the archive is to hold, in anonymous files that the stack closes."""
    secrets = secrets_of(settings)
    spool = folder if folder.is_dir() else Path(tempfile.gettempdir())
    members, problems = _collect_files(settings, day, stack, spool, secrets)
    if with_containers:
        try:
            services = list_services(settings)
        except VvError as exc:
            return members, [*problems, ("docker compose logs", exc.message)]
        for service in services:
            member = Member(f"containers/{service}.log", _spool(stack, spool))
            try:
                lines = read_service(settings, service, day, _spool(stack, spool))
                fill_member(member, lines, secrets)
            except VvError as exc:
                problems.append((f"docker compose logs {service}", exc.message))
                continue
            member.sources.append(f"docker compose logs {service}")
            members.append(member)
    return [member for member in members if member.size], problems


def _spool(stack: ExitStack, folder: Path) -> Any:
    return stack.enter_context(tempfile.TemporaryFile(dir=folder))


def _collect_files(
    settings: Settings, day: Day, stack: ExitStack, spool: Path, secrets: Sequence[bytes]
) -> tuple[list[Member], list[Problem]]:
    keys = (settings.key_store_path, settings.log_key_file, settings.witness_key_file)
    closed = {os.path.realpath(settings.resolve(key).parent) for key in keys}
    closed.add(os.path.realpath(destination_of(settings)))
    # When logrotate renames files while they are read, everything is read again.
    for last in (False,) * (_TRIES - 1) + (True,):
        files, problems = find_logs(sources_of(settings), closed)
        members: list[Member] = []
        for name, parts in plan_reading(files, day).items():
            member = Member(name, _spool(stack, spool))
            fill_member(member, _lines_of(parts, day, member, problems), secrets)
            members.append(member)
        if last or not any(has_moved(file) for file in files):
            break
    return members, problems


def _lines_of(
    files: Sequence[LogFile], day: Day, member: Member, problems: list[Problem]
) -> Iterator[bytes]:
    """Yield the day's lines of several files; one that cannot be read is named, the others are read."""
    for file in files:
        found = False
        try:
            for line in select_lines(read_lines(file), day, take_undated=True):
                found = True
                # A file that was cut must not have its last line glued to the next file's first.
                yield line if line.endswith(b"\n") else line + b"\n"
        except OSError as exc:
            problems.append((file.path, exc.strerror or str(exc)))
        if found:
            member.sources.append(file.path)


def _write(
    settings: Settings,
    day: Day,
    members: Sequence[Member],
    problems: list[Problem],
    *,
    clock: Clock,
    folder: Path,
    is_dry: bool,
) -> Export:
    archive = folder / f"{day.stem}{ARCHIVE_SUFFIX}"

    def describe(size: int, sha256: str) -> dict[str, Any]:
        return build_manifest(
            archive,
            members,
            problems,
            day=day,
            box=settings.box,
            zone=settings.time_zone,
            now=clock.now(),
            size=size,
            sha256=sha256,
        )

    if is_dry:
        return Export("dry_run", describe(0, ""), problems)
    manifest = folder / f"{day.stem}{MANIFEST_SUFFIX}"
    existing = _existing(manifest)
    if existing is not None and holds_more(existing, describe(0, "")):
        return Export("kept", existing, problems)
    if not members:
        return Export(
            "nothing" if existing is None else "unchanged", existing or describe(0, ""), problems
        )
    with atomic_path(archive, ARCHIVE_MODE) as temporary:
        write_archive(temporary, members, day.end)
        sha256, size = compute_sha256(temporary), temporary.stat().st_size
    if existing is not None and existing["archive_sha256"] == sha256:
        return Export("unchanged", existing, problems)
    document = describe(size, sha256)
    write_json_atomic(manifest, document, ARCHIVE_MODE)
    return Export("written", verify_export(manifest), problems)


def _existing(manifest: Path) -> dict[str, Any] | None:
    """Return the manifest of an export that is there and whole."""
    try:
        return verify_export(manifest)
    except InputMissingError:
        return None
    except InputDataError as exc:
        # A crash between archive and manifest looks so too: it is written anew.
        _logger.warning("the export that is there is not whole: %s", exc.message)
        return None


def _prune(folder: Path, today: date, settings: Settings) -> list[str]:
    names = sorted(
        entry.name for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)
    )
    expired = [name for name in names if is_expired(name, today, settings.log_export_days)]
    for name in expired:
        (folder / name).unlink(missing_ok=True)
    if expired:
        fsync_directory(folder)
    return expired
