"""The one writer of a log: appends lines so that none is lost and no head is ever signed twice.

The order of an append is: build, sign, canonical bytes; one frame to the write-ahead file and ``fdatasync``, the
commit point; tiles and bundle; root and checkpoint; the published files. What comes after the commit point is
written atomically at once and synced together with other appends (`LogWriter.sync`, and on closing): until then
the write-ahead file can make all of it again. Any failure after the commit point stops the writer; the next
one recovers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vv_core.audit.keys import KeyStore
from vv_core.clock import Clock, SystemClock
from vv_core.settings import Settings
from vv_core.tlog import due_events
from vv_core.tlog.dirty_files import DirtyFiles, failing
from vv_core.tlog.events import Event, EventKind, event_builder, event_files
from vv_core.tlog.guard import Guard
from vv_core.tlog.head_notes import add_cosignatures, sign_head
from vv_core.tlog.head_state import Head, LogRefused, write_head, write_mark
from vv_core.tlog.lines import Appended, Build, FilesOf, sign_line
from vv_core.tlog.lock import LogLock
from vv_core.tlog.log_files import (
    VKEY,
    LogPlaces,
    publish,
    remove_leftovers,
    remove_superseded,
    write_tree_files,
)
from vv_core.tlog.merkle import leaf_hash
from vv_core.tlog.note import Signer, format_vkey
from vv_core.tlog.position import LogPosition, choose_origin
from vv_core.tlog.recovery import Recovered, keep_aside, recover
from vv_core.tlog.signing_key import load_signing_key
from vv_core.tlog.signing_keys import SigningKeys
from vv_core.tlog.tail import Tail
from vv_core.tlog.tiles import CHECKPOINT, LogReader
from vv_core.tlog.wal import Record, Wal

SYNC_AFTER_LINES = 64
SYNC_AFTER_BYTES = 1024 * 1024


class LogWriter:
    """An open log. Made by `open_log`; one at a time for each log."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.places = LogPlaces.of(settings.storage, settings.resolve(settings.log_key_file))
        self._lock = LogLock(self.places.lock)
        self._wal = Wal(self.places.wal)
        self._dirty = DirtyFiles()
        self._tail = Tail()
        self._synced_size = 0
        self._guard = Guard()
        self._signer: Signer
        self._keys: SigningKeys

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self._signer.name

    @property
    def size(self) -> int:
        """How many lines it has."""
        return self._tail.size

    @property
    def is_stopped(self) -> bool:
        """Whether nothing can be appended any more: it failed, or is not open."""
        return self._guard.is_stopped

    @property
    def keys(self) -> KeyStore:
        """The keys, the one that signs among them."""
        return self._keys.store

    @property
    def reader(self) -> LogReader:
        """A fresh reader of the log's files."""
        return LogReader(self.places.folder)

    def open(self) -> None:
        """Take the lock, make whole what the last writer left, and be ready to append.

        Raises:
            LogRefused: the log is not the one that was signed last.
            VvError: keys or settings are wrong, or the file system refuses.
        """
        private_key = load_signing_key(self.places.key)
        public_key = private_key.public_key().public_bytes_raw()
        with failing("open the log"):
            self._dirty.make_folder(self.places.state, 0o700)
            self._lock.take()
            self._keys = SigningKeys(self._settings)
            found = recover(self.places, self._wal.open(), public_key, self._dirty)
            origin = choose_origin(
                found.origin, self._settings.log_origin, self._settings.box, public_key
            )
            self._signer = Signer(origin, private_key)
            self._tail = found.tail
            self._guard.start()
            self._synced_size = max(0, found.tail.size - SYNC_AFTER_LINES)
            self._settle(found)

    def _settle(self, found: Recovered) -> None:
        """Sign the head of what was recovered, log the recovery, and make all of it durable."""
        if found.must_sync or found.origin is None:
            self._write_head()
        if found.torn:
            keep_aside(self.places, found.torn)
        if found.torn or found.replayed:
            details = {"replayed": found.replayed, "torn_bytes": len(found.torn)}
            self.append_event(Event(EventKind.RECOVERY, details))
        if found.must_sync or found.torn or found.origin is None or self._wal.size:
            remove_leftovers(self.places)
            self.sync()

    def append(self, build: Build, files_of: FilesOf) -> Appended:
        """Append one line: on return it is committed, signed over by a head, and published.

        Args:
            build: makes the unsigned line; its field ``log`` is set here.
            files_of: tells which files to publish.

        Raises:
            LogRefused, KeyAccessError: the log or a key is not in order.
            MalformedError: the line has no canonical form; nothing was written.
            TemporaryError: the file system refuses; the writer has stopped.
        """
        self._guard.check()
        self._prepare_line()
        return self._append(build, files_of)

    def append_event(self, event: Event) -> Appended:
        """Append a line about the log or the box, published below ``events/``.

        Raises:
            VvError: as from `append`.
        """
        self._guard.check()
        self._prepare_line(is_step=event.kind is EventKind.CLOCK_STEP)
        return self._append_event(event)

    def rotate(self, change: Callable[[KeyStore], KeyStore]) -> Appended | None:
        """Change the key that signs, and log it.

        Args:
            change: makes the new store; the old key is erased from it.

        Returns:
            The line that says so; None while the log is empty.

        Raises:
            ConfigError: the keys cannot be changed from here.
            VvError: as from `append`.
        """
        self._guard.check()
        self._keys.change(change)
        return self._announce_key()

    def sync(self) -> None:
        """Make everything durable that was written since the last time, and empty the write-ahead file.

        Raises:
            OSError: from the file system; the writer has stopped.
        """
        with self._guard:
            self._dirty.sync()
            head = Head(self.origin, self.size, self._tail.tree.root())
            write_head(self.places.head, head)
            write_mark(self.places.key, head)
            self._wal.reset()
            remove_superseded(self.places.folder, self._synced_size, self.size)
            self._synced_size = self.size

    def close(self) -> None:
        """Sync and let go; after a failure everything is left for the next writer to recover.

        Raises:
            TemporaryError: the sync failed.
        """
        try:
            if not self.is_stopped and self._wal.size:
                with failing("sync the log"):
                    self.sync()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go without a sync; the next writer recovers."""
        self._guard.is_stopped = True
        self._wal.close()
        self._lock.release()

    def add_cosignature(self, note: bytes) -> bool:
        """Put the signature lines of a note under the checkpoint, if both have the same text.

        Returns:
            False when the log has another head by now.

        Raises:
            NoteError: it is not a note.
            TemporaryError: the file system refuses; the writer has stopped.
        """
        self._guard.check()
        own = self._signer.verifier.key_hash
        checkpoint = add_cosignatures(self.reader.checkpoint_bytes(), note, own)
        if checkpoint is None:
            return False
        with failing("write the checkpoint"), self._guard:
            self._dirty.write(self.places.folder / CHECKPOINT, checkpoint)
            self._dirty.sync()
        return True

    def _append(self, build: Build, files_of: FilesOf) -> Appended:
        # 1. Build, sign, canonical bytes. Nothing is written yet.
        position = LogPosition(self.origin, self.size, self._tail.previous)
        signed, line = sign_line(build, position, self._keys.store)
        due_events.refuse_back_dated(line, self._last_line())
        tree = self._tail.tree.copy()
        tree.append(leaf_hash(line))
        record = Record(position.seq, tree.root(), line, tuple(files_of(signed, line)))
        with failing("append to the log"), self._guard:
            # 2. The commit point.
            self._wal.append(record)
            # 3. Tiles and bundle.
            write_tree_files(self.places, self._dirty, self._tail.append(line))
            # 4. Root and checkpoint. The root is the one that was committed, or nothing is signed.
            if self._tail.tree.root() != record.root:
                raise LogRefused("the tree in memory is not the one that was committed")
            checkpoint = self._write_head()
            # 5. Publish.
            for file in record.files:
                publish(self.places, self._dirty, file)
            if self._is_sync_due():
                self.sync()
        return Appended(position.seq, leaf_hash(line), line, signed, checkpoint)

    def _append_event(self, event: Event) -> Appended:
        settings = self._settings
        now = due_events.time_of_line(event.kind, self._last_line(), self._clock.now())
        build = event_builder(event, box=settings.box, language=settings.language, now=now)
        return self._append(build, event_files)

    def _prepare_line(self, *, is_step: bool = False) -> None:
        """Evolve the key with the first line of a day; log a changed key, and a clock that went back."""
        now = self._clock.now()
        self._keys.follow(self._last_line(), now)
        self._announce_key()
        step = due_events.plan_clock_step(self._last_line(), now)
        if step is not None and not is_step:
            self._append_event(step)

    def _announce_key(self) -> Appended | None:
        rotation = due_events.plan_rotation(self._last_line(), self.size, self._keys.store.active)
        return None if rotation is None else self._append_event(rotation)

    def _last_line(self) -> bytes | None:
        """Return the last line; None when there is none, or it was pruned."""
        if self._tail.last_entry is None and self.size:
            self._tail.last_entry = self.reader.entry(self.size - 1)
        return self._tail.last_entry

    def _write_head(self) -> bytes:
        checkpoint = sign_head(self._signer, self.size, self._tail.tree.root())
        self._dirty.write(self.places.folder / CHECKPOINT, checkpoint)
        if not (self.places.folder / VKEY).exists():
            vkey = format_vkey(self._signer.verifier)
            self._dirty.write(self.places.folder / VKEY, f"{vkey}\n".encode())
        return checkpoint

    def _is_sync_due(self) -> bool:
        waiting = self.size - self._synced_size
        return waiting >= SYNC_AFTER_LINES or self._wal.size >= SYNC_AFTER_BYTES


@contextmanager
def open_log(settings: Settings, clock: Clock | None = None) -> Iterator[LogWriter]:
    """Open the log of a box for writing, recover it first, and sync it at the end.

    Raises:
        LogRefused: the log is not the one that was signed last.
        VvError: keys or settings are wrong, or the file system refuses.
    """
    writer = LogWriter(settings, clock or SystemClock())
    try:
        writer.open()
        yield writer
    except BaseException:
        writer.abandon()
        raise
    writer.close()
