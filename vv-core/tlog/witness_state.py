"""What a witness remembers, on disk: for each log the newest head that it cosigned. It never goes back.

``heads/<name>`` is the cosigned note itself. A head is written, synced and renamed before its cosignature
leaves the box, so that kill -9 or a power cut can only lose a cosignature that nobody has. The state and the
key belong together: a key whose state is gone could cosign a second history, and is refused.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from vv_core.atomic import TEMP_PREFIX, write_bytes_atomic, write_json_atomic
from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import read_regular_file
from vv_core.clock import format_utc
from vv_core.errors import ConfigError, InputDataError, SoftwareError, TemporaryError
from vv_core.tlog.checkpoint import parse_checkpoint
from vv_core.tlog.note import MAX_NOTE_BYTES, SignatureKind, Signer, open_note
from vv_core.tlog.signing_key import create_signing_key, load_signing_key
from vv_core.tlog.witness_decision import NOTHING_SEEN, Accepted, Head, Refused

SCHEMA = "vv.witness/1"
MAX_EVIDENCE = 100
_SLUG = re.compile(r"[^A-Za-z0-9._-]+")

Decide = Callable[[Head], Accepted | Refused]
Cosign = Callable[[Accepted], bytes]


def file_name_of(origin: str) -> str:
    """Return the name of the file for a log or a witness: readable, and different for each name."""
    slug = _SLUG.sub("-", origin).strip("-.")[:80] or "log"
    return f"{slug}-{sha256(origin.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def open_identity(name: str, key_path: Path, folder: Path, moment: datetime) -> Signer:
    """Return the key of this witness; make key and state where there is neither.

    Args:
        name: the witness's key name.
        key_path: its private key.
        folder: its state.
        moment: the current time.

    Raises:
        ConfigError: there is a key, but its state is gone.
        VvError: key or state cannot be read or made.
    """
    marker = folder / "witness.json"
    if not marker.exists():
        if os.path.lexists(key_path):
            raise ConfigError(
                f"the witness has a key ({str(key_path)!r}), but its state in {str(folder)!r} is gone",
                advice="Put the state back. If it is lost, move the key away and start again: a new key "
                "is made; give its vkey to the logs. The old one must never cosign again.",
            )
        (folder / "heads").mkdir(mode=0o755, parents=True, exist_ok=True)
        # The state comes first: a kill in between leaves a state without key, which is harmless.
        write_json_atomic(marker, {"schema": SCHEMA, "name": name, "created": format_utc(moment)})
    exists = os.path.lexists(key_path)
    key = load_signing_key(key_path) if exists else create_signing_key(key_path)
    return Signer(name, key, SignatureKind.COSIGNATURE_V1)


class WitnessState:
    """The heads that this witness cosigned. One process at a time; threads may share it."""

    def __init__(self, folder: Path, signer: Signer) -> None:
        """Prepare; `open_identity` has made the folder."""
        self._folder = folder
        self._heads = folder / "heads"
        self._signer = signer
        self._known: dict[str, Head] = {}
        self._mutex = threading.Lock()
        self._lock = -1

    def __enter__(self) -> Self:
        """Take the state for this process and remove what a killed one left half-written.

        Raises:
            TemporaryError: another process has it.
            OSError: from the file system.
        """
        self._heads.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise TemporaryError(
                f"another witness works on the state in {str(self._folder)!r}",
                advice="End it first: systemctl status, or ps.",
            ) from None
        for left_over in self._heads.glob(f"{TEMP_PREFIX}*"):
            left_over.unlink()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the state free."""
        os.close(self._lock)

    def known(self, origin: str) -> Head:
        """Return the newest head cosigned for a log.

        Raises:
            ConfigError: the file is damaged or was not made with this key.
            OSError: it cannot be read.
        """
        with self._mutex:
            return self._read(origin)

    def update(self, origin: str, decide: Decide, cosign: Cosign) -> bytes | Refused:
        """Decide on a new head and store it, as one step that no other request can come between.

        Args:
            origin: which log.
            decide: is given the head known so far.
            cosign: returns the note with this witness's cosignature.

        Returns:
            The cosigned note, stored; or why it is refused.

        Raises:
            ConfigError: the stored head is damaged or was not made with this key.
            SoftwareError: the decision would go back.
            OSError: the new head cannot be stored; nothing may be told to anybody.
        """
        with self._mutex:
            known = self._read(origin)
            decision = decide(known)
            if isinstance(decision, Refused):
                return decision
            if decision.head.size < known.size:
                raise SoftwareError(
                    f"the witness would go back from {known.size} to {decision.head.size} lines",
                    advice="Nothing was cosigned. Please report it.",
                )
            note = cosign(decision)
            # Until it is known to be on disk, the next request reads what is there.
            self._known.pop(origin, None)
            write_bytes_atomic(self._heads / file_name_of(origin), note)
            self._known[origin] = decision.head
            return note

    def keep_evidence(self, origin: str, note: bytes) -> None:
        """Keep a head that contradicts the one cosigned; at most `MAX_EVIDENCE`, each once.

        Raises:
            OSError: from the file system.
        """
        folder = self._folder / "evidence"
        folder.mkdir(exist_ok=True)
        path = folder / f"{file_name_of(origin)}-{sha256(note).hexdigest()[:16]}"
        with self._mutex:
            if not path.exists() and sum(1 for _ in folder.iterdir()) < MAX_EVIDENCE:
                write_bytes_atomic(path, note)

    def _read(self, origin: str) -> Head:
        if origin not in self._known:
            self._known[origin] = self._read_file(origin)
        return self._known[origin]

    def _read_file(self, origin: str) -> Head:
        path = self._heads / file_name_of(origin)
        try:
            data = read_regular_file(path, MAX_NOTE_BYTES)
            checkpoint = parse_checkpoint(open_note(data, [self._signer.verifier]).text)
        except FileNotFoundError:
            return NOTHING_SEEN
        except (MalformedError, InputDataError) as exc:
            raise self._damaged(path, exc.message) from exc
        if checkpoint.origin != origin:
            raise self._damaged(path, "it is of another log")
        return Head(checkpoint.size, checkpoint.root)

    def _damaged(self, path: Path, problem: str) -> ConfigError:
        return ConfigError(
            f"what the witness knows of a log ({str(path)!r}) cannot be used: {problem}",
            advice="Put the file back from a copy that is not older. Otherwise this witness needs a new key "
            "and a new state: move both away and start again.",
        )
