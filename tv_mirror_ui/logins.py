"""Users and passwords of cameras: a file of their own, for its owner's eyes only."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from vv_core.audit.secret_file import SecretKind, read_secret
from vv_core.yaml_file import MAX_BYTES, YamlFile

SCHEMA = "vv.mirror-logins/1"
_MAX_CHARS = 200
_STR = "tag:yaml.org,2002:str"
_KIND = SecretKind(
    name="file of the cameras' logins",
    if_missing="Make it as docs/mirror.md shows, with mode 600.",
    if_exposed="change the cameras' passwords",
    max_bytes=MAX_BYTES,
)
_FILE = YamlFile("the file of the cameras' logins", "Correct that line; docs/mirror.md shows one.")


@dataclass(frozen=True)
class Login:
    """What a camera wants to know.

    Attributes:
        user: its name.
        password: never shown, not even by `repr`.
    """

    user: str
    password: str = field(repr=False)


def load_logins(path: Path) -> dict[str, Login]:
    """Read a file of logins; there are none where there is no file.

    Raises:
        KeyAccessError: the file is not safe where it lies.
        ConfigError: its content is wrong; the message holds nothing of a password.
    """
    if not path.exists():
        return {}
    root = _FILE.parse(read_secret(path, _KIND), str(path))
    fields = _FILE.mapping(root, "", required=("schema", "logins"))
    if _FILE.text(fields["schema"], "schema") != SCHEMA:
        raise _FILE.wrong(fields["schema"], "schema", f"must be {SCHEMA}")
    logins: dict[str, Login] = {}
    for node in _FILE.sequence(fields["logins"], "logins"):
        entry = _FILE.mapping(node, "logins", required=("name", "user", "password"))
        name = _FILE.text(entry["name"], "name")
        if name in logins:
            raise _FILE.wrong(entry["name"], "name", "stands twice")
        logins[name] = Login(_word(entry["user"], "user"), _word(entry["password"], "password"))
    return logins


def _word(node: yaml.Node, key: str) -> str:
    """Return a text as it stands: two blanks in a password are two."""
    if not isinstance(node, yaml.ScalarNode) or node.tag != _STR:
        raise _FILE.wrong(node, key, "must be text; put it in quotes")
    value = str(node.value)
    if not value or len(value) > _MAX_CHARS or not value.isprintable():
        raise _FILE.wrong(node, key, f"must be printable text of 1 to {_MAX_CHARS} characters")
    return value
