"""Making a picture and passing it on, without falling behind."""

from __future__ import annotations

import time
from collections.abc import Callable

from tv_mirror_ui.jpeg import BadJpegError
from tv_mirror_ui.outlet import Outlet
from tv_mirror_ui.pace import RateGate


def pass_on(make: Callable[[], bytes], captured: float, gate: RateGate, outlet: Outlet) -> None:
    """Make a picture and pass it on; what is broken is counted.

    At least as much time as it took is left for reading: where blurring is slow, fewer pictures come, and fresh ones.

    Args:
        make: returns the JPEG.
        captured: when it came from the camera, CLOCK_MONOTONIC, seconds.
        gate: of this camera.
        outlet: where it goes.
    """
    began = time.monotonic()
    try:
        jpeg = make()
    except BadJpegError:
        outlet.bad()
        return
    outlet.picture(captured, jpeg)
    now = time.monotonic()
    gate.hold_until(2 * now - began)
