"""Which files go: decided from facts about them, without looking at a disk or a clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from vv_core.atomic import TEMP_PREFIX
from vv_core.pipeline.quarantine import META_SUFFIX
from vv_core.retention.policy import CLEANABLE, CLIPS, OUTSIDE, RetentionPolicy

DAY_S: Final = 86400.0
HOUR_S: Final = 3600.0
SCREEN_S: Final = 2 * DAY_S
"""Playlists look back 24 hours: what is younger than this may be in one, or in the one before it."""

_SHOWN_AREAS = ("processed", "analytic", "tv_curado", CLIPS)
_STEM_AREAS = ("analytic", "summaries")
_PROTECTED_NAMES = (
    *("*.logline.json", "*.logline.md", "*.logevent.json", "checkpoint", "vkey"),
    *("*.pem", "*.key", "*.head", "hmac_keys*.json", "*.env", "*.lock"),
    *("*.sqlite", "*.sqlite-*", "processed_videos.*", "alerts.jsonl", "removals.jsonl"),
)
"""Names of the log, of keys and of state: kept wherever they lie."""


class Reason(StrEnum):
    """Why a file goes or stays."""

    OLD = "old"
    TEMPORARY = "temporary"
    YOUNG = "young"
    EXCLUDED = "excluded"
    PROTECTED = "protected"
    UNPROCESSED = "unprocessed"
    ON_SCREEN = "on_screen"
    SPACE_ENOUGH = "space_enough"


@dataclass(frozen=True)
class FileFact:
    """What is known of a file.

    Attributes:
        path: absolute.
        area: one of the box's folders, `OUTSIDE` for another place.
        name: path below that folder.
        size: bytes on disk that its removal frees.
        changed: last change of its content, seconds since 1970.
        device: number of its file system.
        inode: its number there.
        mtime_ns: the exact time of change, to tell later whether it is still the same.
    """

    path: str
    area: str
    name: str
    size: int
    changed: float
    device: int = 0
    inode: int = 0
    mtime_ns: int = 0


@dataclass(frozen=True)
class Video:
    """A video that was processed, or quarantined.

    Attributes:
        sha256: of its content.
        finished: when that was, seconds since 1970.
        stem: how its outputs are called.
    """

    sha256: str
    finished: float
    stem: str


@dataclass(frozen=True)
class Known:
    """What is known of the box when it is decided.

    Attributes:
        now: seconds since 1970.
        videos: processed ones, by path below ``processed/``.
        quarantined: by path below ``corrupted/``, and once more each by the path of its meta file.
        shown_hashes: beginnings of the hashes of videos in a playlist.
        shown_names: file names in a playlist.
        can_tell_shown: False when a playlist could not be read: then whatever may be shown stays.
        exclude: patterns of names that stay, of the command line.
        clips_stay_s: how long TVs may show a clip that was made, and a day more.
    """

    now: float
    videos: Mapping[str, Video] = field(default_factory=dict)
    quarantined: Mapping[str, Video] = field(default_factory=dict)
    shown_hashes: tuple[str, ...] = ()
    shown_names: frozenset[str] = frozenset()
    can_tell_shown: bool = True
    exclude: tuple[str, ...] = ()
    clips_stay_s: float = 0.0


@dataclass(frozen=True)
class Removal:
    """A file that goes.

    Attributes:
        fact: the file.
        reason: `Reason.OLD` or `Reason.TEMPORARY`.
        limit: age from which such files go: days, for temporary ones hours.
        video: the video that the file is, or belongs to.
    """

    fact: FileFact
    reason: Reason
    limit: int
    video: Video | None = None


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes:
        removals: in the order in which they are done.
        kept: how many files stay, by the reason.
    """

    removals: tuple[Removal, ...]
    kept: Mapping[Reason, int]


class Videos:
    """The processed videos, found by file and by what their outputs are called, and the quarantined ones."""

    def __init__(self, known: Known) -> None:
        self._by_name = known.videos
        self._quarantined = known.quarantined
        self._by_stem = {video.stem: video for video in known.videos.values()}

    def of(self, fact: FileFact) -> Video | None:
        """Return the video that a file is or belongs to."""
        if fact.area == "processed":
            return self._by_name.get(fact.name)
        if fact.area == "corrupted":
            return self._quarantined.get(fact.name)
        if fact.area not in _STEM_AREAS:
            return None
        # A stem may hold dots itself: clip.1.analytic.json is of clip.1 or of clip.
        first = fact.name.split("/", 1)[0]
        ends = [place for place, char in enumerate(first) if char == "."]
        found = (self._by_stem.get(first[:end]) for end in reversed(ends))
        return next((video for video in found if video is not None), None)


def plan_removals(
    facts: Iterable[FileFact],
    policy: RetentionPolicy,
    known: Known,
    needed: Mapping[int, int] | None = None,
) -> Plan:
    """Decide which files go, the oldest first.

    Args:
        facts: the files.
        policy: how long they are kept.
        known: what is known of the box.
        needed: bytes to free by file system; a file whose file system needs none stays, unless it is a left-over.
            None: every old file goes.
    """
    videos = Videos(known)
    removals: list[Removal] = []
    kept: dict[Reason, int] = {}
    for fact in facts:
        video = videos.of(fact)
        reason, limit = decide(fact, video, policy, known)
        if reason in {Reason.OLD, Reason.TEMPORARY}:
            removals.append(Removal(fact, reason, limit, video))
        else:
            kept[reason] = kept.get(reason, 0) + 1
    # Without its meta file a quarantined video would stay for ever: that one goes after all videos.
    removals.sort(key=lambda each: (_is_meta(each.fact), each.fact.changed, each.fact.path))
    if needed is not None:
        removals, spared = _as_needed(removals, needed)
        if spared:
            kept[Reason.SPACE_ENOUGH] = spared
    return Plan(tuple(removals), kept)


def decide(
    fact: FileFact, video: Video | None, policy: RetentionPolicy, known: Known
) -> tuple[Reason, int]:
    """Return why a file goes or stays, and the limit that holds for it.

    Args:
        fact: the file.
        video: the video that it is or belongs to.
        policy: how long files are kept.
        known: what is known of the box.
    """
    base = fact.name.rsplit("/", 1)[-1]
    if base.startswith(TEMP_PREFIX):
        return _decide_temporary(fact, policy, known)
    rule = policy.folders.get(fact.area)
    if fact.area not in {*CLEANABLE, OUTSIDE} or rule is None or _is_protected(fact.name):
        return Reason.PROTECTED, 0
    if any(fnmatchcase(base, pattern) for pattern in (*rule.exclude, *known.exclude)):
        return Reason.EXCLUDED, rule.days
    if fact.area in {"processed", "corrupted", *_STEM_AREAS} and video is None:
        return Reason.UNPROCESSED, rule.days
    if fact.area in _SHOWN_AREAS and _is_shown(fact, base, video, known):
        return Reason.ON_SCREEN, rule.days
    age_s = known.now - since(fact, video)
    return (Reason.OLD if age_s >= rule.days * DAY_S else Reason.YOUNG), rule.days


def _decide_temporary(fact: FileFact, policy: RetentionPolicy, known: Known) -> tuple[Reason, int]:
    hours = policy.temporary_hours
    # In input/ and raw/ it may be another program's; elsewhere outside it is not ours to know.
    if fact.area in {"input", "raw", OUTSIDE}:
        return Reason.PROTECTED, hours
    is_old = known.now - fact.changed >= hours * HOUR_S
    return (Reason.TEMPORARY if is_old else Reason.YOUNG), hours


def since(fact: FileFact, video: Video | None) -> float:
    """Return from when on a file's age counts: a recording may be old when it is processed or quarantined."""
    return max(fact.changed, video.finished) if video is not None else fact.changed


def _is_meta(fact: FileFact) -> bool:
    return fact.area == "corrupted" and fact.name.endswith(META_SUFFIX)


def _is_protected(name: str) -> bool:
    parts = name.split("/")
    if any(part.startswith(".") for part in parts):
        return True
    return any(fnmatchcase(parts[-1].lower(), pattern) for pattern in _PROTECTED_NAMES)


def _is_shown(fact: FileFact, base: str, video: Video | None, known: Known) -> bool:
    if not known.can_tell_shown or base in known.shown_names:
        return True
    # A clip is made after its recording began: when it is so old, the playlist before this one has not had it either.
    stays_s = max(SCREEN_S, known.clips_stay_s) if fact.area == CLIPS else SCREEN_S
    if known.now - since(fact, video) < stays_s:
        return True
    return video is not None and video.sha256.startswith(known.shown_hashes)


def _as_needed(removals: list[Removal], needed: Mapping[int, int]) -> tuple[list[Removal], int]:
    """Return the removals that free what is needed, and how many are spared."""
    open_bytes = dict(needed)
    chosen = []
    for removal in removals:
        device = removal.fact.device
        if removal.reason is Reason.TEMPORARY or open_bytes.get(device, 0) > 0:
            chosen.append(removal)
            open_bytes[device] = open_bytes.get(device, 0) - removal.fact.size
    return chosen, len(removals) - len(chosen)


@dataclass(frozen=True)
class SpaceLimit:
    """How much is to stay free: ``least_bytes``, or ``percent`` of each file system."""

    least_bytes: int = 0
    percent: float = 0.0

    def needed(self, free: int, total: int) -> int:
        """Return how many bytes are lacking, 0 for none."""
        return max(0, max(self.least_bytes, round(total * self.percent / 100)) - free)
