"""Reading which cameras there are; every error names file, line and key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import yaml

from vv_core.yaml_file import YamlFile

SCHEMA = "vv.mirror-cameras/1"
SHIPPED = Path(__file__).with_name("config.yaml")
MAX_CAMERAS = 64
MAX_FRAMES_PER_S = 30
MAX_WIDTH = 1280
MAX_HEIGHT = 720
_DEFAULT_FRAMES_PER_S = 10
_LEAST_SIDE = 16
_BOOL = "tag:yaml.org,2002:bool"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ADDRESS = "{DVR_IP}"
_PORT = "{VV_DVR_PORT}"
_FILE = YamlFile(
    "the list of cameras",
    "Correct that line; tv_mirror_ui/config.yaml explains the format. "
    "Without VV_MIRROR_CAMERAS_FILE the shipped list holds.",
)


class Kind(StrEnum):
    """How pictures come from a camera."""

    RTSP = "rtsp"
    HTTP = "http"
    FILE = "file"


_KINDS = {
    "rtsp": (Kind.RTSP, 554),
    "rtsps": (Kind.RTSP, 322),
    "http": (Kind.HTTP, 80),
    "https": (Kind.HTTP, 443),
    "file": (Kind.FILE, 0),
}


@dataclass(frozen=True)
class Address:
    """Where a camera is.

    Attributes:
        kind: how pictures come from there.
        url: without user and password; the path of a file.
        host: its name or address; empty for a file.
        port: its TCP port; 0 for a file.
    """

    kind: Kind
    url: str
    host: str = ""
    port: int = 0


@dataclass(frozen=True)
class Camera:
    """One camera.

    Attributes:
        name: in URLs.
        title: for viewers.
        address: where it is; None: the DVR's address is not known.
        login: the name of its login; empty: none is needed.
        frames_per_s: most pictures a second that are passed on.
        width: largest width of a picture, pixels.
        height: largest height, pixels.
        blur_faces: no picture is passed on in which faces were not looked for and blurred.
    """

    name: str
    title: str
    address: Address | None
    login: str = ""
    frames_per_s: int = _DEFAULT_FRAMES_PER_S
    width: int = MAX_WIDTH
    height: int = MAX_HEIGHT
    blur_faces: bool = False


@dataclass(frozen=True)
class Defaults:
    """What a list of cameras takes from the settings.

    Attributes:
        dvr_ip: address of the DVR; empty: not known.
        dvr_port: its RTSP port.
        blur_faces: for cameras that do not say it.
    """

    dvr_ip: str = ""
    dvr_port: int = 554
    blur_faces: bool = False


def load_cameras(path: Path | None, defaults: Defaults) -> tuple[Camera, ...]:
    """Read a list of cameras, or the shipped one.

    Raises:
        ConfigError: the file cannot be read or is wrong.
    """
    return _cameras(_FILE.read(path or SHIPPED), defaults)


def parse_cameras(data: bytes, name: str, defaults: Defaults) -> tuple[Camera, ...]:
    """Return the cameras in the content of a file; `name` is what messages call it.

    Raises:
        ConfigError: the content is wrong.
    """
    return _cameras(_FILE.parse(data, name), defaults)


def _cameras(root: yaml.Node, defaults: Defaults) -> tuple[Camera, ...]:
    fields = _FILE.mapping(root, "", required=("schema", "cameras"))
    if _FILE.text(fields["schema"], "schema") != SCHEMA:
        raise _FILE.wrong(fields["schema"], "schema", f"must be {SCHEMA}")
    nodes = _FILE.sequence(fields["cameras"], "cameras")
    if len(nodes) > MAX_CAMERAS:
        raise _FILE.wrong(fields["cameras"], "cameras", f"has more than {MAX_CAMERAS} entries")
    cameras = tuple(_camera(node, defaults) for node in nodes)
    names = [camera.name.lower() for camera in cameras]
    for index, node in enumerate(nodes):
        if names[index] in names[:index]:
            raise _FILE.wrong(node, "name", f"two cameras are called {cameras[index].name!r}")
    return cameras


def _camera(node: yaml.Node, defaults: Defaults) -> Camera:
    optional = ("title", "login", "frames_per_s", "width", "height", "blur_faces")
    fields = _FILE.mapping(node, "cameras", required=("name", "url"), optional=optional)
    name = _name(fields["name"], "name")
    text = _FILE.text
    return Camera(
        name=name,
        title=text(fields["title"], "title") if "title" in fields else name,
        address=_address(fields["url"], defaults),
        login=_name(fields["login"], "login") if "login" in fields else "",
        frames_per_s=_number(
            fields, "frames_per_s", _DEFAULT_FRAMES_PER_S, least=1, most=MAX_FRAMES_PER_S
        ),
        width=_number(fields, "width", MAX_WIDTH, least=_LEAST_SIDE, most=MAX_WIDTH),
        height=_number(fields, "height", MAX_HEIGHT, least=_LEAST_SIDE, most=MAX_HEIGHT),
        blur_faces=_flag(fields, "blur_faces", default=defaults.blur_faces),
    )


def _name(node: yaml.Node, key: str) -> str:
    name = _FILE.text(node, key)
    if not _NAME.fullmatch(name):
        raise _FILE.wrong(node, key, "must be 1 to 64 letters, digits, - or _")
    return name


def _number(fields: dict[str, yaml.Node], key: str, default: int, *, least: int, most: int) -> int:
    if key not in fields:
        return default
    number = _FILE.count(fields[key], key)
    if not least <= number <= most:
        raise _FILE.wrong(fields[key], key, f"must be from {least} to {most}")
    return number


def _flag(fields: dict[str, yaml.Node], key: str, *, default: bool) -> bool:
    if key not in fields:
        return default
    node = fields[key]
    if not isinstance(node, yaml.ScalarNode) or node.tag != _BOOL:
        raise _FILE.wrong(node, key, "must be true or false")
    return str(node.value).lower() in {"true", "yes", "on"}


def _address(node: yaml.Node, defaults: Defaults) -> Address | None:
    raw_url = _FILE.text(node, "url").replace(_PORT, str(defaults.dvr_port))
    is_unknown = _ADDRESS in raw_url and not defaults.dvr_ip
    # Looked at all the same: a slip in the file must not wait for the DVR to be told.
    url = raw_url.replace(_ADDRESS, defaults.dvr_ip or "192.0.2.1")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise _FILE.wrong(node, "url", f"is no address: {exc}") from None
    if parts.scheme not in _KINDS:
        raise _FILE.wrong(
            node, "url", f"must begin with {', '.join(f'{each}://' for each in _KINDS)}"
        )
    if parts.username is not None or parts.password is not None:
        raise _FILE.wrong(
            node, "url", "must hold no user or password; name a login of VV_MIRROR_LOGINS_FILE"
        )
    kind, usual_port = _KINDS[parts.scheme]
    if kind is Kind.FILE:
        return Address(kind, _file_path(node, parts))
    if not parts.hostname:
        raise _FILE.wrong(node, "url", "must name a host")
    return None if is_unknown else Address(kind, url, parts.hostname, port or usual_port)


def _file_path(node: yaml.Node, parts: SplitResult) -> str:
    if parts.netloc or not parts.path.startswith("/"):
        raise _FILE.wrong(
            node, "url", "must be the full path of a file, as file:///videos/clip.mp4"
        )
    return parts.path
