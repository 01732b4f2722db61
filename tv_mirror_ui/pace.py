"""When to pass a picture on, how far a stream lags behind, and how long to wait before the next try."""

from __future__ import annotations

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
GOOD_AFTER_S = 3.0
_EARLY = 0.25
_DRIFT_PER_S = 0.001


class RateGate:
    """Lets through at most so many pictures a second, evenly."""

    def __init__(self, per_s: float) -> None:
        self._interval_s = 1 / per_s
        self._due = 0.0

    def is_open(self, now: float) -> bool:
        """Tell whether a picture of this moment (seconds, any steady clock) is passed on; it then counts."""
        # A camera is never on time to the millisecond: one that sends just so many loses none.
        if now < self._due - _EARLY * self._interval_s:
            return False
        is_in_step = now - self._due < self._interval_s
        self._due = (self._due if is_in_step else now) + self._interval_s
        return True

    def hold_until(self, moment: float) -> None:
        """Let nothing through before a moment: the machine needs the time for something else."""
        self._due = max(self._due, moment + _EARLY * self._interval_s)


class LagMeter:
    """How much later than the quickest of them a picture came; what waited in buffers is not fresh.

    The camera's clock and ours drift apart, so that the quickest is forgotten slowly, 1 ms a second.
    """

    def __init__(self) -> None:
        self._least: float | None = None
        self._last = 0.0

    def measure(self, arrived: float, stamp: float) -> float:
        """Return the lag, seconds.

        Args:
            arrived: by our clock, seconds.
            stamp: by the camera's clock, seconds.
        """
        delay = arrived - stamp
        if self._least is None:
            self._least = delay
        else:
            self._least = min(delay, self._least + _DRIFT_PER_S * max(0.0, arrived - self._last))
        self._last = arrived
        return delay - self._least


class Waits:
    """The waits between tries: they double, and begin anew after a while that was good."""

    def __init__(self) -> None:
        self._next_s = FIRST_WAIT_S

    def after(self, good_s: float, longest_s: float = LONGEST_WAIT_S) -> float:
        """Return the seconds to wait now.

        Args:
            good_s: for how long pictures came since the last try.
            longest_s: that it may be, for what ended this try.
        """
        if good_s >= GOOD_AFTER_S:
            self._next_s = FIRST_WAIT_S
        wait_s = self._next_s
        self._next_s = min(2 * wait_s, LONGEST_WAIT_S)
        return min(wait_s, longest_s)
