"""The scanner as a stage: loads the models once, and keeps what is still true.

Importing decoders, image libraries and the model's runtime takes as long as loading the model. So
they are imported with the first video, on one thread; then the model loads on another; a start that
only finds everything done imports none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from scan_video.parallel import share_heap
from scan_video.source_file import hash_source
from vv_core import __version__
from vv_core.clock import Clock, SystemClock
from vv_core.errors import VvError
from vv_core.jsonio import read_json
from vv_core.logs import get_logger
from vv_core.settings import Settings
from vv_core.stage import StageItem
from vv_core.utils import validate_schema
from vv_schemas import schema_path

if TYPE_CHECKING:
    from scan_video.eyes import Eyes

NAME = "scan_video"

_log = get_logger(NAME)


class ScanStage:
    """Scans videos; the models are loaded with the first one."""

    name = NAME
    version = __version__

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        share_heap()
        self._settings = settings
        self._clock = clock or SystemClock()
        self._loader = ThreadPoolExecutor(1)
        self._loading: Future[Eyes] | None = None

    def is_current(self, item: StageItem) -> bool:
        """Tell whether a valid analytic of the same bytes exists, with all its pictures."""
        if not item.output.exists():
            return False
        try:
            document = read_json(item.output)
            validate_schema(document, schema_path("analytic"))
        except VvError as exc:
            _log.warning("the existing analytic is made anew: %s", exc)
            return False
        pictures = [item.output.parent / entry["file"] for entry in document["pictures"]]
        if not all(picture.is_file() for picture in pictures):
            return False
        return bool(document["source_hash"] == hash_source(item.input).sha256)

    def process(self, item: StageItem, progress: Callable[[float], None]) -> None:
        """Scan one video.

        Raises:
            VvError: the analytic was not written.
        """
        # Imported before the other thread starts: two that import cv2 at a time can break its start.
        from scan_video.scanning import scan_item

        loading = self._start_loading()
        scan_item(item, self._settings, self._clock, loading.result, progress)

    def close(self) -> None:
        """Let go of the models."""
        self._loader.shutdown(wait=True, cancel_futures=True)
        self._loading = None

    def _start_loading(self) -> Future[Eyes]:
        """Return the models; they load while the file is read."""
        has_failed = (
            self._loading is not None and self._loading.done() and self._loading.exception()
        )
        if self._loading is None or has_failed:
            from scan_video.eyes import Eyes

            self._loading = self._loader.submit(Eyes, self._settings)
        return self._loading
