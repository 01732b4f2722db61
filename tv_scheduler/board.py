"""What the TVs show now: decided anew when something has changed, and written when that changes what they show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from tv_scheduler.choice import Choice
from tv_scheduler.explain import explain_tv
from tv_scheduler.known_lines import Found, KnownLines
from tv_scheduler.media import Clips
from tv_scheduler.playlist import Playable, Scene, build_playlists, choose_all, next_edge
from tv_scheduler.playlist_files import PlaylistFiles
from tv_scheduler.rules import TvRule
from vv_core.logs import get_logger
from vv_core.settings import Settings

Follow = Callable[[set[str]], bool]
"""Is told where clips lie; returns whether changes there are told from now on, and were not before."""

_logger = get_logger("playlist")


class Board:
    """Keeps files of playlists and explanations up to date.

    Attributes:
        found: what is known of the LogLines.
        clips: what plays, by the recording's hash.
        counts: how many items each TV has.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._files = PlaylistFiles(settings.storage.playlists)
        self._finder = Clips(settings.storage)
        self._choices: dict[str, Choice] = {}
        self._chosen_for: tuple[int, Sequence[TvRule]] | None = None
        self._chosen_at = 0.0
        self._is_written = False
        self._videos: set[str] = set()
        self.found = Found()
        self.clips: dict[str, Playable] = {}
        self.counts: dict[str, int] = {}

    @property
    def edge(self) -> int | None:
        """When something changes though nothing new comes, seconds since 1970."""
        return next_edge(self._choices.values())

    @property
    def clip_paths(self) -> set[str]:
        """Where the clips lie, or should."""
        return self._finder.paths

    def shows(self, video_sha256: str) -> bool:
        """Tell whether a recording is on some TV, as clip or as picture."""
        return video_sha256 in self._videos

    def check_access(self) -> None:
        """Find out now, not with the next change, that playlists cannot be written.

        Raises:
            VvError: they cannot.
        """
        self._files.check_access()

    def update(
        self, rules: Sequence[TvRule], known: KnownLines, now: datetime, follow: Follow
    ) -> None:
        """Bring the files up to date.

        Args:
            rules: of the TVs.
            known: the LogLines.
            now: the current time.
            follow: has the folders of clips watched.

        Raises:
            VvError: a file cannot be written.
        """
        is_new = self._choose(rules, known, now)
        clips = self._finder.find(self._videos)
        if follow(self._finder.paths):
            clips = self._finder.find(self._videos)
        if is_new or clips != self.clips or not self._is_written or not self._files.are_untouched():
            # Not before all is written: what fails is done again.
            self._is_written = False
            self.clips = clips
            self._write(rules, Scene(now, self._settings.zone, self._settings.language))
            self._is_written = True

    def _choose(self, rules: Sequence[TvRule], known: KnownLines, now: datetime) -> bool:
        """Choose anew, unless that would give the same; return whether it was done."""
        second = now.timestamp()
        edge = self.edge
        is_still = self._chosen_at <= second and (edge is None or second < edge)
        if is_still and self._chosen_for == (known.version, rules):
            return False
        self.found = known.found
        self._choices = choose_all(rules, self.found.lines, now, self._settings.zone)
        self._chosen_for, self._chosen_at = (known.version, rules), second
        shown = (line for choice in self._choices.values() for line in choice.shown)
        self._videos = {line.video_sha256 for line in shown}
        return True

    def _write(self, rules: Sequence[TvRule], scene: Scene) -> None:
        playlists = build_playlists(rules, self._choices, self.clips, scene)
        changed = self._files.write(playlists)
        self._files.write_explanations(explain_all(rules, self._choices, self.found, scene))
        if changed:
            _logger.info("playlists have changed", extra={"fields": {"tvs": changed}})
        self.counts = {tv: len(document["items"]) for tv, document in playlists.items()}


def explain_all(
    rules: Sequence[TvRule], choices: Mapping[str, Choice], found: Found, scene: Scene
) -> dict[str, dict[str, object]]:
    """Return the explanations of each TV, by its name."""
    return {rule.name: explain_tv(rule, choices[rule.name], found, scene) for rule in rules}
