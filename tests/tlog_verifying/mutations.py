"""Random changes to a box's files, names, heads and keys, one at a time, each undone afterwards.

Every change is one that a verifier has to tell. Left out is what proves nothing and may go without harm: the
name of a head that a witness keeps beside the log, and the public key beside the log being gone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support.log_builder import LogBuilder
from tests.tlog_verifying.box import WITNESS, built
from vv_core.audit.key_chain import DerivedKeys
from vv_core.audit.parallel import Workers
from vv_core.audit.trust import Trust
from vv_core.audit.verdict import EXIT_CODES
from vv_core.audit.verifier_options import read_held_heads
from vv_core.audit.whole_audit import AuditPlan, WholeAudit
from vv_core.errors import VvError
from vv_core.tlog.note import parse_vkey

AT = 1_795_000_000


@dataclass
class Auditor:
    """What an auditor brings along, as texts and bytes that may be damaged."""

    vkeys: list[str]
    keys: dict[str, bytes] | None
    head: Path
    witnesses: int = 1


@dataclass
class Target:
    """A box of a thousand lines, and its auditor."""

    box: LogBuilder
    auditor: Auditor
    files: list[Path] = field(default_factory=list)

    @classmethod
    def build(cls, folder: Path, count: int = 1000) -> Target:
        """Write the box, with a witness's head beside its log and one with the auditor."""
        box = built(folder, count)
        (box.log / "witness").mkdir()
        note = box.checkpoint(cosigners={WITNESS: AT})
        (box.log / "witness" / "sala-2").write_bytes(note)
        head = folder / "held.checkpoint"
        head.write_bytes(box.checkpoint(count // 2))
        auditor = Auditor([box.signer.vkey, WITNESS.vkey], box.keys, head)
        files = sorted(path for path in box.folder.rglob("*") if path.is_file())
        return cls(box, auditor, files)


def is_flagged(box: LogBuilder, auditor: Auditor) -> bool:
    """Audit until the first problem; tell whether there is one."""
    try:
        verifiers = tuple(parse_vkey(text) for text in auditor.vkeys)
        heads = tuple(read_held_heads(str(auditor.head), verifiers))
        keys = None if auditor.keys is None else DerivedKeys(auditor.keys)
        trust = Trust(keys, verifiers, heads, auditor.witnesses)
        with Workers(1) as workers:
            audit = WholeAudit(AuditPlan([str(box.folder)], trust), workers)
            return any(EXIT_CODES[each.verdict.status] for each in audit.run())
    except VvError:
        return True


def change_bytes(data: bytes, chance: random.Random) -> bytes:
    """Return other bytes: a bit, a byte, a piece changed, left out, doubled, put in, or cut off."""
    at = chance.randrange(len(data)) if data else 0
    length = min(chance.choice([1, 1, 2, 8, 32, 300]), len(data) - at)
    piece = data[at : at + length]
    kinds: list[Callable[[], bytes]] = [
        lambda: data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :],
        lambda: data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :],
        lambda: data[:at] + data[at + length :],
        lambda: data[:at] + piece + data[at:],
        lambda: data[:at] + chance.randbytes(length) + data[at:],
        lambda: data[:at] + chance.randbytes(length) + data[at + length :],
        lambda: data[:at],
        lambda: data + chance.choice([b"\n", b" ", b"\0", piece]),
    ]
    changed = chance.choice(kinds)() if data else b"x"
    return changed if changed != data else data + b"?"


@contextmanager
def content_changed(path: Path, chance: random.Random) -> Iterator[str]:
    """Change what stands in a file."""
    data = path.read_bytes()
    changed = change_bytes(data, chance)
    if path.suffix == ".checkpoint" and changed.rstrip(b"\n") == data.rstrip(b"\n"):
        # An auditor may have typed a head off a picture: its last newline does not count.
        changed = data.replace(b"\n", b" ", 1)
    path.write_bytes(changed)
    try:
        yield f"content of {path.name}"
    finally:
        path.write_bytes(data)


@contextmanager
def file_gone(path: Path) -> Iterator[str]:
    """Take a file away."""
    data = path.read_bytes()
    path.unlink()
    try:
        yield f"{path.name} gone"
    finally:
        path.write_bytes(data)


@contextmanager
def name_changed(path: Path, chance: random.Random) -> Iterator[str]:
    """Give a file another name, beside itself or elsewhere in the box."""
    names = [
        f"{path.name}.old",
        f"x{path.name}",
        path.name[1:] or "0",
        "".join(chance.sample(path.name, len(path.name))) + "0",
        f"{path.name.partition('.')[0]}-{chance.randbytes(4).hex()}.{path.name.partition('.')[2]}",
        path.name.upper() + "_",
    ]
    other = path.with_name(chance.choice(names))
    if other.exists():
        other = path.with_name(f"{path.name}.other")
    path.rename(other)
    try:
        yield f"{path.name} is {other.name}"
    finally:
        other.rename(path)


@contextmanager
def contents_swapped(first: Path, second: Path) -> Iterator[str]:
    """Let two files change places."""
    data, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(data)
    try:
        yield f"{first.name} and {second.name} swapped"
    finally:
        first.write_bytes(data)
        second.write_bytes(other)


@contextmanager
def file_added(path: Path, source: Path) -> Iterator[str]:
    """Put a copy of a file where none was."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(source.read_bytes())
    try:
        yield f"{path.name}, a copy of {source.name}"
    finally:
        path.unlink()


@contextmanager
def mutation(target: Target, chance: random.Random) -> Iterator[tuple[str, Auditor]]:
    """Make one change; gives what it is and the auditor who has to tell it."""
    auditor = target.auditor if chance.random() < 0.5 else replace(target.auditor, keys=None)
    group = chance.choice(["lines", "lines", "tiles", "bundles", "heads", "names", "keys"])
    if group == "keys":
        yield _change_key(target.auditor, chance)
        return
    if group == "names":
        with _names_changed(target, chance) as what:
            yield what, auditor
        return
    path = chance.choice(_files_of(target, group))
    kind = chance.random()
    if kind < 0.1 and path.name != "vkey":
        with file_gone(path) as what:
            yield what, auditor
    elif kind < 0.2 and group != "heads":
        others = [each for each in _files_of(target, group) if each != path]
        with contents_swapped(path, chance.choice(others)) as what:
            yield what, auditor
    else:
        with content_changed(path, chance) as what:
            yield what, auditor


def _files_of(target: Target, group: str) -> list[Path]:
    log = target.box.log
    inside = [path for path in target.files if path.is_relative_to(log)]
    if group == "lines":
        return [path for path in target.files if not path.is_relative_to(log)]
    if group == "bundles":
        return [path for path in inside if "entries" in path.parts]
    if group == "tiles":
        return [path for path in inside if "tile" in path.parts and "entries" not in path.parts]
    heads = [path for path in inside if "tile" not in path.parts]
    return [*heads, target.auditor.head]


@contextmanager
def _names_changed(target: Target, chance: random.Random) -> Iterator[str]:
    groups = ("lines", "lines", "tiles", "bundles")
    path = chance.choice(_files_of(target, chance.choice(groups)))
    if chance.random() < 0.2:
        lines = _files_of(target, "lines")
        source = chance.choice(lines)
        added = source.with_name(f"n{chance.randbytes(3).hex()}{''.join(source.suffixes)}")
        with file_added(added, source) as what:
            yield what
        return
    if chance.random() < 0.05:
        path = target.box.log / "checkpoint"
    with name_changed(path, chance) as what:
        yield what


def _change_key(auditor: Auditor, chance: random.Random) -> tuple[str, Auditor]:
    assert auditor.keys is not None
    ((key_id, secret),) = auditor.keys.items()
    kind = chance.randrange(3)
    if kind == 0:
        at = chance.randrange(len(secret))
        other = secret[:at] + bytes([secret[at] ^ 1 << chance.randrange(8)]) + secret[at + 1 :]
        return "HMAC key", replace(auditor, keys={key_id: other})
    if kind == 1:
        at = chance.randrange(len(key_id))
        name = key_id[:at] + chr(ord(key_id[at]) ^ 1) + key_id[at + 1 :]
        return f"key id {name}", replace(auditor, keys={name: secret})
    vkeys = list(auditor.vkeys)
    at = chance.randrange(len(vkeys))
    text = vkeys[at]
    place = chance.randrange(len(text))
    changed = text[:place] + chr(ord(text[place]) ^ 1 << chance.randrange(7)) + text[place + 1 :]
    vkeys[at] = changed
    return f"public key {changed!r}", replace(auditor, vkeys=vkeys)


def run_mutations(target: Target, seed: int, count: int) -> list[str]:
    """Make so many changes and return those that nobody told."""
    chance = random.Random(seed)
    missed = []
    for number in range(count):
        with mutation(target, chance) as (what, auditor):
            if not is_flagged(target.box, auditor):
                missed.append(f"{seed}/{number}: {what}")
    return missed
