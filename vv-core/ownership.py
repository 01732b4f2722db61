"""Giving a box's files to the user that runs it, where root prepares it."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from vv_core.errors import ConfigError, UsageError, from_oserror
from vv_core.settings import Settings

_PRIVATE, _SHARED = 0o700, 0o755


@dataclass(frozen=True)
class User:
    """Who the files belong to.

    Attributes:
        name: of the account.
        uid, gid: its numbers.
        home: its folder.
    """

    name: str
    uid: int
    gid: int
    home: str


def find_user(name: str) -> User:
    """Return a user of this machine.

    Raises:
        UsageError: there is none of that name.
        ConfigError: this is not root, who alone may give files away.
    """
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise UsageError(
            f"there is no user {name!r}", advice=f"Make it first: useradd --system {name}"
        ) from None
    if os.geteuid() not in {0, entry.pw_uid}:
        raise ConfigError(
            "only root can give files to another user",
            advice="Run it with sudo, or without --owner.",
        )
    return User(name, entry.pw_uid, entry.pw_gid, entry.pw_dir)


def hand_over(settings: Settings, user: User) -> list[str]:
    """Give folders of data, logs, keys and faces, with all that root left in them, and ``.env`` to a user.

    What belongs to others than root stays theirs; links are not followed, and a file with another name somewhere is
    left alone, since that name may be one of root's.

    Returns:
        A line when something was given.

    Raises:
        VvError: the file system refuses.
    """
    if os.geteuid() != 0 or user.uid == 0:
        return []
    folders = {
        settings.storage.root: _SHARED,
        settings.resolve(settings.log_dir): _SHARED,
        settings.resolve(settings.faces_dir): _PRIVATE,
        settings.key_store_path.parent: _PRIVATE,
        settings.resolve(settings.log_key_file).parent: _PRIVATE,
    }
    given = 0
    try:
        for folder, mode in folders.items():
            if not folder.is_dir():
                folder.mkdir(mode=mode, parents=True)
            given += _give_tree(folder, user)
        given += _give_file(settings.home / ".env", user)
    except OSError as exc:
        raise from_oserror(exc, f"give to {user.name}") from exc
    return [f"dono / owner {user.name}: {given}"] if given else []


def _give_tree(folder: Path, user: User) -> int:
    given = 0
    for _, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        status = os.fstat(descriptor)
        if status.st_uid == 0:
            os.fchown(descriptor, user.uid, user.gid)
            given += 1
        for name in (*folders, *files):
            entry = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            is_folder = stat.S_ISDIR(entry.st_mode)
            if entry.st_uid == 0 and not is_folder and entry.st_nlink == 1:
                os.chown(name, user.uid, user.gid, dir_fd=descriptor, follow_symlinks=False)
                given += 1
    return given


def _give_file(path: Path, user: User) -> int:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return 0
    if not stat.S_ISREG(status.st_mode) or status.st_uid != 0 or status.st_nlink != 1:
        return 0
    os.chown(path, user.uid, user.gid, follow_symlinks=False)
    return 1


def become(user: User) -> None:
    """Go on as a user, for good: what is made from here on is theirs.

    Raises:
        VvError: the system refuses.
    """
    if os.geteuid() == user.uid:
        return
    try:
        os.initgroups(user.name, user.gid)
        os.setgid(user.gid)
        os.setuid(user.uid)
    except OSError as exc:
        raise from_oserror(exc, f"become {user.name}") from exc
    os.environ["HOME"] = user.home


def act_as_owner(settings: Settings) -> None:
    """Where root runs a program by hand (sudo), go on as the user whom the box's data belong to.

    Otherwise a database, a lock or a log that the program makes would be root's, and the box could not write it.

    Raises:
        VvError: the system refuses.
    """
    if os.geteuid() != 0:
        return
    try:
        owner = settings.storage.root.stat().st_uid
        entry = pwd.getpwuid(owner)
    except (OSError, KeyError):
        # No data yet, or of a user that only containers know: root then has to do.
        return
    become(User(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir))
