"""The files of an installation: which belong to it, and what they are now."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import open_regular
from vv_core.errors import ConfigError
from vv_core.manifest.compare import FoundFile

MANIFEST_NAME = "vv-signature.json"
GIT_TIMEOUT_S = 60.0
_CHUNK_BYTES = 1024 * 1024

IGNORED_AT_THE_TOP = (
    *(MANIFEST_NAME, ".git", ".venv", ".env"),
    *("data", "faces", "logs", "secrets", "simulation"),
    *("build", "dist", "*.egg-info", "*.whl", ".coverage*", "logline_verifier.pyz"),
    *(
        ".cache",
        ".hypothesis",
        ".import_linter_cache",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
    ),
)
"""What a running box or a developer puts beside the shipped files: never reported as extra."""
IGNORED_ANYWHERE = ("__pycache__", ".vv-tmp-*")


def is_ignored(path: str, own_paths: Collection[str] = ()) -> bool:
    """Tell whether a name that the manifest does not list is left out by rule.

    Args:
        path: relative to the root, with slashes.
        own_paths: further folders and files of this box, such as data that lie elsewhere.
    """
    parts = path.split("/")
    return (
        any(fnmatchcase(parts[0], pattern) for pattern in IGNORED_AT_THE_TOP)
        or any(fnmatchcase(part, pattern) for part in parts for pattern in IGNORED_ANYWHERE)
        or any(path == own or path.startswith(f"{own}/") for own in own_paths)
    )


def list_unlisted(root: Path, listed: Collection[str], own_paths: Collection[str]) -> Iterator[str]:
    """Yield every name below the root that the manifest does not list and no rule leaves out.

    Links are named and not followed.

    Raises:
        OSError: a folder cannot be read.
    """
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(root / folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if is_ignored(path, own_paths):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif path not in listed:
                yield path


def look_at(root: Path, path: str, *, hashes: bool = True) -> FoundFile | None:
    """Return what stands under a name, None for nothing.

    A link in any folder above the file counts as a link.
    """
    try:
        if _is_behind_link(root, path):
            return FoundFile("symlink")
        descriptor, status = open_regular(root / path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except MalformedError as exc:
        return FoundFile("symlink" if exc.reason == "symbolic_link" else "special")
    except OSError:
        return FoundFile("unreadable")
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        digest = hashlib.sha256()
        try:
            while hashes and (chunk := stream.read(_CHUNK_BYTES)):
                digest.update(chunk)
        except OSError:
            return FoundFile("unreadable")
    mode = stat.S_IMODE(status.st_mode)
    return FoundFile("file", digest.hexdigest() if hashes else "", status.st_size, mode)


def _is_behind_link(root: Path, path: str) -> bool:
    above = root
    for part in path.split("/")[:-1]:
        above /= part
        if above.is_symlink():
            return True
    return False


def tracked_files(root: Path) -> list[str] | None:
    """Return what git tracks below the root and is there, None where the root is not a checkout.

    Raises:
        ConfigError: git cannot be asked.
    """
    if not (root / ".git").exists():
        return None
    names = [os.fsdecode(raw) for raw in _git(root, "ls-files", "-z", "--cached").split(b"\0")]
    return sorted({name for name in names if name and os.path.lexists(root / name)})


def source_commit(root: Path) -> tuple[str | None, bool]:
    """Return the commit that the files come from, and whether tracked files differ from it.

    Raises:
        ConfigError: git cannot be asked.
    """
    if not (root / ".git").exists():
        return None, False
    commit = (
        _git(root, "rev-parse", "--verify", "--quiet", "HEAD").decode("ascii", "replace").strip()
    )
    changes = _git(root, "status", "--porcelain", "-z", "--untracked-files=no")
    return commit or None, bool(changes)


def _git(root: Path, *arguments: str) -> bytes:
    # Not run_child, which keeps the last lines only: here the whole output is wanted.
    command = ["git", "-C", os.fspath(root), *arguments]
    try:
        result = subprocess.run(
            command,
            check=False,
            timeout=GIT_TIMEOUT_S,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise _git_error(str(exc)) from exc
    if result.returncode not in {0, 1}:
        raise _git_error(result.stderr.decode("utf-8", "replace").strip()[-500:])
    return result.stdout


def _git_error(problem: str) -> ConfigError:
    return ConfigError(
        f"git does not say which files belong to this checkout: {problem}",
        advice="Install git and run it as the owner of the folder, or sign a copy without .git.",
    )
