"""The options of `logline_verifier`, and what an auditor brings along: keys, public keys, heads."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from vv_core.audit.key_chain import DerivedKeys
from vv_core.audit.log_heads import HeldHead, is_log_key, open_head, parse_bare_head
from vv_core.audit.regular_file import read_regular_file
from vv_core.audit.trust import Trust
from vv_core.audit.verdict import EXIT_NOT_AUDITED
from vv_core.cli import CommandParser
from vv_core.errors import InputDataError, KeyAccessError, UsageError, from_oserror
from vv_core.logs import printable
from vv_core.tlog.checkpoint import Checkpoint, parse_checkpoint
from vv_core.tlog.heads import read_heads
from vv_core.tlog.note import MAX_NOTE_BYTES, Verifier, parse_vkey, split_note

PROG = "logline_verifier"
LANGUAGES = ("pt-BR", "en")
_MAX_JOBS = 64


class VerifierParser(CommandParser):
    """A command parser that ends with 4, as 2 means something else here."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and how to find help, and exit 4."""
        self.exit(
            EXIT_NOT_AUDITED,
            f"{self.prog}: {printable(message)}\n→ See {self.prog} --help.\n",
        )


def make_parser() -> VerifierParser:
    """Return the parser of this command."""
    parser = VerifierParser(
        PROG,
        "Verify LogLines: single files, folders, and whole logs.",
        epilog="Exit codes: 0 all valid; 1 tampering; 2 undecided (unknown key, no witness); 3 not a "
        "LogLine; 4 usage, I/O, no keys, nothing to verify. Of several, the first of 1, 4, 3, 2. "
        "With --vkey or --head and without --key-file no secret is used: leaf hashes, root, links and "
        "positions are checked, not the HMAC signatures.",
    )
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a .logline.json file, a .vvproof, a folder to search, or the folder of a whole log (loglines/)",
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="key store with the HMAC keys (default: the one of the settings, unless --vkey or --head)",
    )
    parser.add_argument(
        "--vkey",
        action="append",
        default=[],
        metavar="KEY",
        help="public key of the log, or of a witness: name+id+key, or a file that holds such lines",
    )
    parser.add_argument(
        "--head",
        action="append",
        default=[],
        metavar="FILE",
        help="a head that a witness holds: note, picture or folder; or SIZE:ROOT",
    )
    parser.add_argument(
        "--require-witnesses",
        type=int,
        default=0,
        metavar="N",
        help="lines that fewer witnesses have seen are UNVERIFIABLE",
    )
    parser.add_argument(
        "--videos", metavar="DIR", help="folder of the videos, to hash them again (processed/)"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="processes that share the work; 0: all cores",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    parser.add_argument("--quiet", action="store_true", help="print problems only")
    parser.add_argument(
        "--language", choices=LANGUAGES, help="language of the report (default: VV_LANGUAGE)"
    )
    return parser


def count_jobs(wanted: int) -> int:
    """Return how many processes to use.

    Raises:
        UsageError: no such number.
    """
    if not 0 <= wanted <= _MAX_JOBS:
        raise UsageError(
            f"--jobs {wanted} is not within 0 to {_MAX_JOBS}", advice="Use --jobs 0 for all cores."
        )
    return wanted or len(os.sched_getaffinity(0))


def make_trust(
    arguments: argparse.Namespace,
    keys: Mapping[str, bytes] | None,
    own: tuple[Verifier, ...] = (),
) -> Trust:
    """Return what the auditor brings along, as the options say.

    Args:
        arguments: the options.
        keys: secrets by key id; None for an audit without secrets.
        own: public keys that the machine itself gives.

    Raises:
        VvError: a key or a head cannot be used.
    """
    verifiers = own + tuple(key for text in arguments.vkey for key in read_vkeys(text))
    heads = tuple(head for text in arguments.head for head in read_held_heads(text, verifiers))
    if arguments.require_witnesses < 0:
        raise UsageError("--require-witnesses is below 0", advice="Use 0 or more.")
    derived = None if keys is None else DerivedKeys(keys)
    return Trust(derived, verifiers, heads, arguments.require_witnesses)


def read_vkeys(text: str) -> list[Verifier]:
    """Return the public keys of an argument: a key, or a file with one a line (# begins a remark).

    Raises:
        NoteError: what is there is no key.
        VvError: the file cannot be read.
    """
    if "+" in text and not os.path.lexists(text):
        return [parse_vkey(text)]
    try:
        content = read_regular_file(text, MAX_NOTE_BYTES).decode("utf-8", "replace")
    except OSError as exc:
        raise from_oserror(exc, "read the public key", Path(text)) from exc
    lines = [line.strip() for line in content.splitlines()]
    keys = [parse_vkey(line) for line in lines if line and not line.startswith("#")]
    if not keys:
        raise InputDataError(
            f"there is no public key in {text!r}",
            advice="Give the line that vv-log prints as the key.",
        )
    return keys


def read_held_heads(text: str, verifiers: Sequence[Verifier]) -> list[HeldHead]:
    """Return the heads of an argument: SIZE:ROOT, or what `read_heads` takes.

    The auditor vouches for them. Where a key of the log was given too, its signature has to be right.

    Raises:
        NoteError: what is there is no head, or none that the log signed.
        VvError: it cannot be read.
    """
    bare = parse_bare_head(text)
    if bare is not None:
        return [HeldHead(text, bare, is_vouched=True)]
    path = Path(text)
    bare = _read_bare_head(path)
    if bare is not None:
        return [HeldHead(text, bare, is_vouched=True)]
    return [_vouch(note, text, verifiers) for note in read_heads(path)]


def _vouch(note: bytes, source: str, verifiers: Sequence[Verifier]) -> HeldHead:
    if any(is_log_key(each) for each in verifiers):
        held = open_head(note, source, verifiers)
        return HeldHead(source, held.checkpoint, held.witnesses, is_vouched=True)
    return HeldHead(source, parse_checkpoint(split_note(note)[0]), is_vouched=True)


def _read_bare_head(path: Path) -> Checkpoint | None:
    """Return the head of a file with size and root only; None where it is something else."""
    try:
        content = read_regular_file(path, MAX_NOTE_BYTES)
    except (InputDataError, OSError):
        return None
    return parse_bare_head(content.decode("utf-8", "replace"))


def needs_secrets(arguments: argparse.Namespace) -> bool:
    """Tell whether the settings' keys are used: neither a key file nor anything public was given."""
    return arguments.key_file is None and not arguments.vkey and not arguments.head


def nothing_to_verify_with() -> KeyAccessError:
    """Return the error of an audit with nothing to verify with, where no product is installed."""
    return KeyAccessError(
        "there is nothing to verify with",
        advice="Give the keys with --key-file, or the log's public key with --vkey.",
    )
