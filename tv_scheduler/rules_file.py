"""The rules that hold now: those of the operator's file, or the last ones that were right."""

from __future__ import annotations

from pathlib import Path

from tv_scheduler.config import load_rules, parse_rules, read_rules
from tv_scheduler.rules import TvRule
from vv_core.atomic import write_bytes_atomic
from vv_core.errors import ConfigError
from vv_core.logs import get_logger

_logger = get_logger("playlist")


class RulesFile:
    """Reads the file each time, and keeps what was right.

    Attributes:
        problem: why the file as it is does not hold; None when it does.
    """

    def __init__(self, path: Path | None, copy: Path) -> None:
        """Read nothing yet.

        Args:
            path: of the operator; None: the shipped rules hold.
            copy: where the last content that was right is kept.
        """
        self._path = path
        self._copy = copy
        self._content: bytes | None = None
        self._rules: tuple[TvRule, ...] = ()
        self.problem: ConfigError | None = None

    def read(self) -> tuple[TvRule, ...]:
        """Return the rules that hold.

        Raises:
            ConfigError: the file is wrong, and no rules were right before.
        """
        if self._path is None:
            self._rules = self._rules or load_rules(None)
            return self._rules
        try:
            content = read_rules(self._path)
            if content != self._content:
                self._rules = parse_rules(content, str(self._path))
                self._content = content
                self._keep(content)
            self.problem = None
        except ConfigError as exc:
            self._rules = self._rules or self._last()
            if not self._rules:
                raise
            self.problem = exc
        return self._rules

    def _keep(self, content: bytes) -> None:
        try:
            write_bytes_atomic(self._copy, content)
        except OSError as exc:
            _logger.warning("the rules are not kept for a start with wrong ones: %s", exc)

    def _last(self) -> tuple[TvRule, ...]:
        try:
            return parse_rules(read_rules(self._copy), str(self._copy))
        except ConfigError:
            return ()
