"""What is to be seen on a screen: colours and movement, from screenshots, never from the page's variables."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageChops, ImageStat

from tests.support.browser import Browser
from tests.support.tv_clips import COLOURS, name_colour
from tests.support.waiting import PATIENCE_S

MOVING_AGAIN_S = 9.0
"""Three times what the product promises: other work on the machine must fail no test; bench/tv_page.py measures it."""
SLOW_TRIES = 4
"""So often a round is watched anew where this machine was too slow for a clip in it."""
_NOTE_FILLERS = """window.hasFilled = false;
    setInterval(() => { window.hasFilled |= Boolean(state.current) && state.current.how === 'filler'; }, 50)"""
_BLACK = 5.0
_SAME = 0.02


@dataclass(frozen=True)
class Look:
    """One look at the screen.

    Attributes:
        at: monotonic seconds.
        colour: of the clip (`COLOURS`), ``dark`` for the page's own pictures, ``mixed`` in a fade, ``black``.
        picture: the part above the caption, small.
    """

    at: float
    colour: str
    picture: Image.Image


class Screen:
    """A browser's page, looked at."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def look(self) -> Look:
        """Look once."""
        shot = self.browser.screenshot()
        width, height = shot.size
        colour = name_colour(tuple(shot.getpixel((width // 10, height // 5))))  # type: ignore[arg-type]
        upper = shot.crop((0, 0, width, height * 6 // 10)).resize((160, 54), Image.Resampling.BOX)
        return Look(time.monotonic(), colour, upper)

    def watch(self, seconds: float) -> list[Look]:
        """Look as often as can be for a while."""
        looks = [self.look()]
        while looks[-1].at - looks[0].at < seconds:
            looks.append(self.look())
        return looks

    def watch_round(self, colours: Collection[str], seconds: float = 0.0) -> list[Look]:
        """Look until all of some colours were there, for a while at least.

        Raises:
            AssertionError: one of them did not come.
        """
        looks = self.watch(seconds)
        for colour in colours:
            if colour not in seen_colours(looks):
                looks += self.wait_for(colour)
        return looks

    def wait_for(self, colours: str | Collection[str]) -> list[Look]:
        """Look until one of some colours is there; return all looks.

        Raises:
            AssertionError: it did not come.
        """
        wanted = {colours} if isinstance(colours, str) else set(colours)
        looks = [self.look()]
        while looks[-1].colour not in wanted:
            seen = seen_colours(looks)
            assert looks[-1].at - looks[0].at < PATIENCE_S, (
                f"{wanted} not within {PATIENCE_S} s: saw {seen}; {self.browser.console()[-5:]} {self.describe()}"
            )
            looks.append(self.look())
        return looks

    def wait_for_clip(self) -> list[Look]:
        """Look until a clip is there."""
        return self.wait_for(COLOURS)

    def watch_undisturbed(self, url: str, watch: Callable[[], list[Look]]) -> list[Look]:
        """Open a page and watch; anew where a clip stood in for one that this machine was too slow for.

        Returns:
            The looks at a round in its order; where there was none, at the last one of `SLOW_TRIES`.
        """
        for _ in range(SLOW_TRIES):
            self.browser.open(url)
            self.browser.evaluate(_NOTE_FILLERS)
            looks = watch()
            if not self.browser.evaluate("return window.hasFilled"):
                break
        return looks

    def describe(self) -> str:
        """Return what the page would tell a technician; for messages of failed tests."""
        return str(
            self.browser.evaluate("return typeof describe === 'function' ? describe(clock()) : ''")
        )


def seen_colours(looks: list[Look]) -> list[str]:
    """Return the colours in their order, each once in a row, fades left out."""
    colours = [look.colour for look in looks if look.colour != "mixed"]
    return [colour for before, colour in pairwise(["", *colours]) if colour != before]


def is_black(look: Look) -> bool:
    """Say whether nothing at all is to be seen."""
    return look.colour == "black" and max(ImageStat.Stat(look.picture).mean) < _BLACK


def longest_still_s(looks: list[Look]) -> float:
    """Return for how long the picture did not change, seconds, as far as the looks can tell."""
    longest, since = 0.0, looks[0].at
    for before, after in pairwise(looks):
        change = ImageStat.Stat(ImageChops.difference(before.picture, after.picture)).mean
        if max(change) > _SAME:
            since = after.at
        longest = max(longest, after.at - since)
    return longest


def check_alive(looks: list[Look], still_s: float = MOVING_AGAIN_S) -> None:
    """Check that the screen was never black and never stood still for long."""
    assert not any(is_black(look) for look in looks)
    assert longest_still_s(looks) < still_s
