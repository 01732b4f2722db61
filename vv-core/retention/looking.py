"""Collecting the facts that retention decides by: files, processed videos, what TVs show."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from vv_core.atomic import TEMP_PREFIX
from vv_core.clock import parse_utc
from vv_core.errors import VvError, from_oserror
from vv_core.jsonio import read_json
from vv_core.paths import FOLDERS, Storage
from vv_core.pipeline.quarantine import quarantined
from vv_core.processed_video import parse_line
from vv_core.retention.decision import DAY_S, HOUR_S, FileFact, Known, Video
from vv_core.retention.policy import CLIPS, OUTSIDE
from vv_core.settings import Settings

_HASH_PART = re.compile(r"[0-9a-f]{8,64}")
_CLIP = re.compile(r"[0-9a-f]{64}\.mp4")
_ID_HASH = re.compile(r"-([0-9a-f]{8,64})\Z")
_CLIPS_FOLDER = "tv_curado"
_UNSWEPT = ("input", "raw")
"""Folders whose temporary files are other programs'."""


@dataclass(frozen=True)
class Places:
    """Where things are on this box; all paths are real ones, without links.

    Attributes:
        root: the storage root.
        logs: the folder of app.log.
        closed: folders that are never looked into: keys, the program itself.
    """

    root: str
    logs: str
    closed: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> Places:
        """Return the places of a box."""
        keys = (
            settings.key_store_path,
            settings.resolve(settings.log_key_file),
            settings.resolve(settings.witness_key_file),
            settings.resolve(settings.manifest_key_file),
        )
        home = settings.home.absolute()
        own = (home / ".venv", home / ".git", settings.resolve(settings.faces_dir))
        return cls(
            os.path.realpath(settings.storage.root),
            os.path.realpath(settings.resolve(settings.log_dir)),
            frozenset(os.path.realpath(path) for path in (*(key.parent for key in keys), *own)),
        )

    def area_of(self, path: str) -> tuple[str, str]:
        """Return the box's folder that a real path lies in, and its path below it ("" for the folder itself)."""
        for folder, area in ((self.logs, "logs"), (self.root, "")):
            if path == folder or path.startswith(f"{folder}/"):
                inner = path[len(folder) + 1 :]
                if area:
                    return area, inner
                first, _, rest = inner.partition("/")
                return (CLIPS if first == _CLIPS_FOLDER and _CLIP.fullmatch(rest) else first), rest
        return OUTSIDE, path.lstrip("/")


@dataclass(frozen=True)
class Target:
    """Something to look at.

    Attributes:
        path: a file or folder.
        only_temporary: nothing there but left-overs of killed writers is looked at.
        is_asked_for: a person named it: it must be there.
    """

    path: str
    only_temporary: bool = False
    is_asked_for: bool = False


@dataclass
class Look:
    """What was seen.

    Attributes:
        facts: of files, by path.
        problems: path and reason of what could not be looked at.
        missing: what was asked for and is not there.
    """

    facts: dict[str, FileFact] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def sweep_targets(places: Places, areas: Sequence[str]) -> list[Target]:
    """Return the folders of areas, and for left-overs all others of the box."""
    others = [name for name in (*FOLDERS, "logs") if name not in (*areas, *_UNSWEPT)]
    return [Target(folder_of(places, area)) for area in areas] + [
        Target(folder_of(places, area), only_temporary=True) for area in others
    ]


def folder_of(places: Places, area: str) -> str:
    """Return the path of one of the box's folders."""
    if area == "logs":
        return places.logs
    return f"{places.root}/{_CLIPS_FOLDER if area == CLIPS else area}"


def look_at(targets: Sequence[Target], places: Places) -> Look:
    """Collect the facts of all regular files; links are not followed and devices not opened."""
    look = Look()
    for target in targets:
        try:
            status = os.lstat(target.path)
        except FileNotFoundError:
            if target.is_asked_for:
                look.missing.append(target.path)
            continue
        except OSError as exc:
            look.problems.append((target.path, exc.strerror or str(exc)))
            continue
        if stat.S_ISLNK(status.st_mode):
            look.problems.append(
                (target.path, "is a symbolic link and not followed; mount the disk there instead")
            )
        elif stat.S_ISDIR(status.st_mode):
            for path, found in _walk(target.path, places, look.problems):
                _note(look, places, path, found, target)
        elif stat.S_ISREG(status.st_mode):
            _note(look, places, target.path, status, target)
    return look


def _note(look: Look, places: Places, path: str, status: os.stat_result, target: Target) -> None:
    if target.only_temporary and not path.rpartition("/")[2].startswith(TEMP_PREFIX):
        return
    area, name = places.area_of(path)
    look.facts[path] = FileFact(
        path=path,
        area=area,
        name=name,
        # The content of a file with another name stays.
        size=status.st_size if status.st_nlink == 1 else 0,
        changed=status.st_mtime,
        device=status.st_dev,
        inode=status.st_ino,
        mtime_ns=status.st_mtime_ns,
    )


def _walk(
    folder: str, places: Places, problems: list[tuple[str, str]]
) -> Iterator[tuple[str, os.stat_result]]:
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        if current in places.closed:
            continue
        try:
            with os.scandir(current) as entries:
                found = list(entries)
        except FileNotFoundError:
            continue
        except OSError as exc:
            problems.append((current, exc.strerror or str(exc)))
            continue
        for entry in found:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError as exc:
                problems.append((entry.path, exc.strerror or str(exc)))
                continue
            if stat.S_ISDIR(status.st_mode):
                waiting.append(entry.path)
            elif stat.S_ISREG(status.st_mode):
                yield entry.path, status


def learn_known(
    settings: Settings, now: float, exclude: tuple[str, ...]
) -> tuple[Known, list[str]]:
    """Return what is known of the box, and the playlists that could not be read.

    Raises:
        VvError: the list of processed videos, or ``corrupted/``, cannot be read.
    """
    storage = settings.storage
    path = storage.processed_log
    try:
        videos = read_videos(path)
    except OSError as exc:
        raise from_oserror(exc, "read the list of processed videos", path) from exc
    known = Known(
        now=now,
        videos=videos,
        quarantined=read_quarantined(storage),
        exclude=exclude,
        clips_stay_s=settings.clip_window_hours * HOUR_S + DAY_S,
    )
    return learn_shown(known, storage.playlists)


def read_videos(path: Path) -> dict[str, Video]:
    """Return the processed videos by their path below ``processed/``; lines that are torn are left out.

    Raises:
        OSError: the list is there and cannot be read.
    """
    videos: dict[str, Video] = {}
    try:
        with path.open("rb") as stream:
            for raw in stream:
                entry = _parse_video(raw)
                if entry is not None:
                    videos[entry[0]] = entry[1]
    except FileNotFoundError:
        pass
    return videos


def read_quarantined(storage: Storage) -> dict[str, Video]:
    """Return the videos in ``corrupted/`` whose meta file can be used, by their path and by that of the meta file."""
    videos: dict[str, Video] = {}
    for video, meta, content in quarantined(storage):
        try:
            since = meta.stat().st_mtime
        except FileNotFoundError:
            continue  # put back into input/ meanwhile
        found = Video(content["sha256"], since, video.stem)
        for path in (video, meta):
            videos[os.path.relpath(path, storage.corrupted)] = found
    return videos


def _parse_video(raw: bytes) -> tuple[str, Video] | None:
    line = parse_line(raw)
    if line is None:
        return None
    try:
        moment = parse_utc(line.finished).timestamp()
    except ValueError:
        return None
    return line.relative_name, Video(line.sha256, moment, line.stem)


def learn_shown(known: Known, folder: Path) -> tuple[Known, list[str]]:
    """Add what the playlists in a folder show; one that cannot be read means that nobody can tell."""
    hashes: set[str] = set()
    names: set[str] = set()
    problems = []
    for path in sorted(folder.glob("*.json")):
        try:
            for item in _items(read_json(path)):
                _note_item(item, hashes, names)
        except VvError as exc:
            problems.append(exc.message)
        except ValueError as exc:
            problems.append(f"{str(path)!r} is not a playlist: {exc}")
    shown = replace(
        known,
        shown_hashes=tuple(sorted(hashes)),
        shown_names=frozenset(names),
        can_tell_shown=not problems,
    )
    return shown, problems


def _items(document: Any) -> list[dict[str, Any]]:
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("it has no list of items")
    return items


def _note_item(item: dict[str, Any], hashes: set[str], names: set[str]) -> None:
    """Note what an item shows: by hash or by name, whichever its URL uses."""
    for url in (item.get("media"), item.get("poster")):
        if isinstance(url, str) and url:
            parts = [unquote(part) for part in urlsplit(url).path.split("/") if part]
            pieces = (*parts[:-1], parts[-1].partition(".")[0]) if parts else ()
            hashes.update(part for part in pieces if _HASH_PART.fullmatch(part))
            names.update(parts[-1:])
    found = _ID_HASH.search(str(item.get("logline_id", "")))
    if found:
        hashes.add(found[1])
