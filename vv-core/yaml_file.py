"""Reading an operator's YAML file strictly: every error names file, line and key.

The YAML is walked as nodes, not loaded as data, since nodes know their line, keep both of two equal
keys, and cannot be turned into anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from vv_core.errors import ConfigError, from_oserror

MAX_BYTES = 256 * 1024
MAX_ENTRIES = 500
MAX_TEXT = 1000

_STR = "tag:yaml.org,2002:str"
_INT = "tag:yaml.org,2002:int"
_MAX_DIGITS = 15


@dataclass(frozen=True)
class YamlFile:
    """How to speak of one kind of file.

    Attributes:
        what: what the file is, as in "the model registry".
        advice: what to do about an error in it.
    """

    what: str
    advice: str

    def read(self, path: Path) -> yaml.Node:
        """Return the root node of a file.

        Raises:
            ConfigError: it cannot be read, is too large, not UTF-8, not YAML, or empty.
        """
        return self.parse(self.read_bytes(path), str(path))

    def read_bytes(self, path: Path) -> bytes:
        """Return the content of a file, of one that is too large a byte more than may be.

        Raises:
            ConfigError: it cannot be read.
        """
        try:
            with path.open("rb") as stream:
                return stream.read(MAX_BYTES + 1)
        except OSError as exc:
            message = from_oserror(exc, f"read {self.what}", path).message
            raise ConfigError(message, advice=self.advice) from exc

    def parse(self, data: bytes, name: str) -> yaml.Node:
        """Return the root node of a file's content; `name` is what messages call it.

        Raises:
            ConfigError: it is too large, not UTF-8, not YAML, or empty.
        """
        if len(data) > MAX_BYTES:
            raise self._unreadable(name, f"it is larger than {MAX_BYTES} bytes")
        try:
            loader = yaml.SafeLoader(data.decode("utf-8"))
            loader.name = name
            root = loader.get_single_node()
        except UnicodeDecodeError:
            raise self._unreadable(name, "it is not UTF-8 text") from None
        except yaml.MarkedYAMLError as exc:
            line = f"line {exc.problem_mark.line + 1}: " if exc.problem_mark else ""
            raise self._unreadable(name, f"{line}{exc.problem}") from None
        except (yaml.YAMLError, RecursionError) as exc:
            raise self._unreadable(name, f"not YAML ({type(exc).__name__})") from None
        if root is None:
            raise self._unreadable(name, "it is empty")
        return root

    def wrong(self, node: yaml.Node, key: str, problem: str) -> ConfigError:
        """Return the error for one place of the file."""
        mark = node.start_mark
        where = f"{mark.name!r}, line {mark.line + 1}{f', key {key!r}' if key else ''}"
        return ConfigError(f"{self.what} is wrong: {where}: {problem}", advice=self.advice)

    def mapping(
        self, node: yaml.Node, key: str, required: Sequence[str], optional: Sequence[str] = ()
    ) -> dict[str, yaml.Node]:
        """Return the values of a mapping node by key; unknown, missing and double keys are errors."""
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(node, key, "must be a mapping (key: value)")
        known = (*required, *optional)
        fields: dict[str, yaml.Node] = {}
        for key_node, value_node in node.value:
            name = self.text(key_node, key)
            if name not in known:
                raise self.wrong(key_node, name, f"is not known here; known: {', '.join(known)}")
            if name in fields:
                raise self.wrong(key_node, name, "stands twice")
            fields[name] = value_node
        missing = [name for name in required if name not in fields]
        if missing:
            raise self.wrong(node, missing[0], "is missing")
        return fields

    def sequence(self, node: yaml.Node, key: str) -> list[yaml.Node]:
        """Return the entries of a list that is not empty."""
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.wrong(node, key, "must be a list with at least one entry")
        if len(node.value) > MAX_ENTRIES:
            raise self.wrong(node, key, f"has more than {MAX_ENTRIES} entries")
        entries: list[yaml.Node] = node.value
        return entries

    def text(self, node: yaml.Node, key: str) -> str:
        """Return a printable text on one line."""
        if not isinstance(node, yaml.ScalarNode) or node.tag != _STR:
            raise self.wrong(node, key, "must be text; put it in quotes")
        value = " ".join(str(node.value).split())
        if not value or len(value) > MAX_TEXT or not value.isprintable():
            raise self.wrong(node, key, f"must be printable text of 1 to {MAX_TEXT} characters")
        return value

    def count(self, node: yaml.Node, key: str) -> int:
        """Return a whole number from 1."""
        is_count = isinstance(node, yaml.ScalarNode) and node.tag == _INT
        raw_text = str(node.value)
        if not is_count or not raw_text.isascii() or not raw_text.isdigit():
            raise self.wrong(node, key, "must be a whole number from 1, without signs or points")
        if len(raw_text) > _MAX_DIGITS or int(raw_text) == 0:
            raise self.wrong(node, key, f"must be from 1 and have at most {_MAX_DIGITS} digits")
        return int(raw_text)

    def _unreadable(self, name: str, problem: str) -> ConfigError:
        return ConfigError(f"{self.what} {name!r} cannot be read: {problem}", advice=self.advice)
