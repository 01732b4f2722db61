"""The HMAC keys of a writer: the one that signs, and how it gives way to the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from vv_core.audit.keys import KeyStore, load_keys
from vv_core.errors import ConfigError
from vv_core.logs import get_logger
from vv_core.settings import Settings
from vv_core.tlog.key_rotation import (
    can_write_store,
    catch_up,
    evolve_store,
    is_rotation_due,
    write_store,
)
from vv_core.tlog.lines import key_id_of, logged_at_of


class SigningKeys:
    """The key store of a box, held while a log is open.

    Attributes:
        store: as it is now.
    """

    def __init__(self, settings: Settings) -> None:
        """Read the key store.

        Raises:
            KeyAccessError: it is missing, unsafe or broken.
        """
        self._path = settings.key_store_path
        self._is_fixed = settings.hmac_key is not None
        self._has_warned = False
        self.store = load_keys(settings)

    def change(self, change: Callable[[KeyStore], KeyStore]) -> None:
        """Replace the key that signs; the old one is erased from the store.

        Raises:
            ConfigError: the keys cannot be changed from here.
            VvError: the file system refuses.
        """
        if not self._can_change():
            raise ConfigError(
                "the signing key cannot evolve: its store cannot be written",
                advice="Use a key store (VV_HMAC_KEYS_FILE) in a folder that this user may write.",
            )
        self.store = write_store(self._path, change(self.store))

    def follow(self, last_line: bytes | None, now: datetime) -> None:
        """Have a key that was not retired before the last line of the log, nor is of an earlier day.

        Raises:
            VvError: the file system refuses.
        """
        if last_line is not None and not self._is_fixed:
            key_id, moment = key_id_of(last_line), logged_at_of(last_line)
            store = catch_up(self.store, key_id, moment, now)
            if store is not self.store:
                self.change(lambda _store: store)
        self.evolve_when_due(now)

    def evolve_when_due(self, now: datetime) -> None:
        """Evolve the key with the first line of a day, where the store can be written.

        Raises:
            VvError: the file system refuses.
        """
        if not is_rotation_due(self.store, now):
            return
        if self._can_change():
            self.change(lambda store: evolve_store(store, now))
        elif not self._has_warned:
            self._has_warned = True
            get_logger("tlog").warning("the key store cannot be written: its key does not evolve")

    def _can_change(self) -> bool:
        return not self._is_fixed and can_write_store(self._path)
