"""What the made-up situations are drawn from: wordings, names of videos, lines of the log."""

from __future__ import annotations

from random import Random

from summarize_scene.training.choice import Item
from summarize_scene.training.faults.phrases import BESIDE, CAMERAS, LABELS, REFUSED, Phrasing
from vv_core.monitor.situation import LogFact

STAGES = ("scan_video", "summarize_scene", "logline_generator")


class Draws:
    """Seeded choices; `is_held_out` takes the wordings that no training text has."""

    def __init__(self, random: Random, *, is_held_out: bool) -> None:
        self._random = random
        self._is_held_out = is_held_out

    def one(self, *items: Item) -> Item:
        """Return one of the items; one that stands twice comes twice as often."""
        return self._random.choice(items)

    def number(self, least: int, most: int) -> int:
        """Return a whole number, both ends included."""
        return self._random.randint(least, most)

    def share(self) -> float:
        """Return a number from 0 to below 1."""
        return self._random.random()

    def percent(self, least: float, most: float) -> float:
        """Return a number between two."""
        return self._random.uniform(least, most)

    def some(self, items: tuple[Item, ...], count: int) -> list[Item]:
        """Return so many different items."""
        return self._random.sample(items, count)

    def wording(self, phrasing: Phrasing) -> str:
        """Return one of the wordings, its placeholders still open."""
        wordings = phrasing.held_out if self._is_held_out else phrasing.training
        return wordings[0] if len(wordings) == 1 else self.one(*wordings)

    def video(self) -> str:
        """Return the path of a video below the input folder."""
        day = f"2026{self.number(1, 12):02}{self.number(1, 28):02}"
        clock = f"{self.number(0, 23):02}{self.number(0, 59):02}{self.number(0, 59):02}"
        name = self.one(
            f"{day}-{clock}.mp4",
            f"{day}-{clock}.mkv",
            f"ch{self.number(1, 8)}_{day}-{clock}.mp4",
            f"rec{self.number(1, 999)}.mp4",
        )
        camera = self.one(*CAMERAS)
        return f"{camera}/{name}" if camera else name

    def refusal(self) -> str:
        """Return what the check of a model's text found wrong with it."""
        label, count = self.one(*LABELS), self.number(2, 9)
        wordings = REFUSED.held_out if self._is_held_out else REFUSED.training
        found = self.some(wordings, self.one(1, 1, 2, 3))
        return "; ".join(found).format(label=label, count=count, more=count + 1)

    def beside(self) -> LogFact:
        """Return a line that has nothing to do with what is wrong."""
        video, refused = self.video(), self.refusal()
        component, message = self.one(*BESIDE)
        return LogFact("WARNING", component, message.format(video=video, refused=refused))


def stage_end(video: str, stage: str, code: int, then: str, said: str) -> LogFact:
    """Return how a stage ended for a video, in the orchestrator's words."""
    message = f"{video}: {stage} ended with {code}, {then} ({said})"
    return LogFact("WARNING", "orchestrator", message, stage=stage, exit_code=code)


def stage_failed(video: str, stage: str, said: str) -> LogFact:
    """Return the line that tells an operator of it."""
    return LogFact("ERROR", "orchestrator", f"{stage} failed for '{video}': {said}")


def text_not_kept(why: str) -> LogFact:
    """Return the line about a model's text that was not used."""
    return LogFact("WARNING", "summarize_scene", f"the model's text was not kept: {why}")
