#!/usr/bin/env python3
"""Check an offline bundle, and unpack it: signature first, then every hash, then the files.

Standard library only and no other file of ours: install.sh runs it on a box where nothing is installed yet, and
``make bundle`` puts it into the install.sh that travels with a bundle. So Ed25519 (RFC 8032, verifying only: no
secret is handled here) and DSSE are spelled out.

A bundle is an uncompressed tar file. Its first member, `ENVELOPE`, is a DSSE envelope with one Ed25519 signature
over an in-toto Statement that lists all other members: name, sha256, size.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import shutil
import sys
import tarfile
from pathlib import Path
from typing import IO, Any

ENVELOPE = "bundle.dsse.json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://voulezvous.ai/schemas/offline-bundle/1"
MAX_ENVELOPE_BYTES = 16 * 1024 * 1024
MAX_FILES = 10_000
EX_DATAERR, EX_NOINPUT, EX_TEMPFAIL, EX_NOPERM = 65, 66, 75, 77

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+~%=@-]*(/[A-Za-z0-9_][A-Za-z0-9._+~%=@-]*){0,8}")
_VKEY = re.compile(r"([^+\s]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_CHUNK_BYTES = 1024 * 1024
_ED25519 = b"\x01"
_POINT_BYTES = 32
_SIGNATURE_BYTES = 64


class BundleError(Exception):
    """A bundle is refused; carries what to do and the exit code."""

    def __init__(self, message: str, advice: str, exit_code: int = EX_DATAERR) -> None:
        super().__init__(message)
        self.advice = advice
        self.exit_code = exit_code


# --- Ed25519, RFC 8032 section 5.1 -----------------------------------------------------------------------------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_M1 = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]
_NEUTRAL: _Point = (0, 1, 1, 0)


def _add(p: _Point, q: _Point) -> _Point:
    """Add two points in extended coordinates (5.1.4)."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % _P
    b = (p[1] + p[0]) * (q[1] + q[0]) % _P
    c = 2 * p[3] * q[3] * _D % _P
    d = 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _multiply(scalar: int, point: _Point) -> _Point:
    result = _NEUTRAL
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _decode(raw: bytes) -> _Point | None:
    """Return the point of 32 bytes (5.1.3), None where they name none."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if len(raw) != _POINT_BYTES or y >= _P:
        return None
    x2 = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(x2, (_P + 3) // 8, _P)
    if (x * x - x2) % _P:
        x = x * _SQRT_M1 % _P
    if (x * x - x2) % _P or (x == 0 and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return (x, y, 1, x * y % _P)


_BASE = _decode((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))


def is_signed_by(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature is that key's signature of a message (5.1.7)."""
    if len(signature) != _SIGNATURE_BYTES:
        return False
    key, r = _decode(public_key), _decode(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= _L or _BASE is None:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    left = _multiply(s, _BASE)
    right = _add(r, _multiply(int.from_bytes(digest, "little") % _L, key))
    return (left[0] * right[2] - right[0] * left[2]) % _P == 0 and (
        left[1] * right[2] - right[1] * left[2]
    ) % _P == 0


# --- keys, envelope, statement ---------------------------------------------------------------------------------------


def parse_vkey(text: str) -> tuple[str, bytes]:
    """Return name and public key of a verifier key line (``name+hash+key``, as C2SP signed-note has it).

    Raises:
        BundleError: it is not the line of an Ed25519 key, or its hash does not fit.
    """
    match = _VKEY.fullmatch(text.strip())
    raw = _from_base64(match[3]) if match else b""
    if match is None or len(raw) != 1 + _POINT_BYTES or raw[:1] != _ED25519:
        raise BundleError(
            "the key is not a verifier key", "Give the vkey line of make bundle.", EX_NOPERM
        )
    if hashlib.sha256(match[1].encode() + b"\n" + raw).hexdigest()[:8] != match[2]:
        raise BundleError(
            "the key was mistyped: its hash does not fit", "Copy the whole line.", EX_NOPERM
        )
    return match[1], raw[1:]


def fingerprint(vkey: str) -> str:
    """Return what people compare: the SHA-256 of the public key, in groups of four digits."""
    text = hashlib.sha256(parse_vkey(vkey)[1]).hexdigest()
    return " ".join(text[start : start + 4] for start in range(0, 64, 4))


def verify_envelope(data: bytes, trusted_vkey: str | None) -> dict[str, Any]:
    """Return the statement of an envelope that is signed.

    Args:
        data: of the member `ENVELOPE`.
        trusted_vkey: who must have signed; None: whoever the statement names, on first use.

    Raises:
        BundleError: it is malformed, or not signed by that key.
    """
    # 1. It is one envelope with one signature.
    document = _object(data, {"payloadType", "payload", "signatures"})
    signatures = document["signatures"]
    if (
        document["payloadType"] != PAYLOAD_TYPE
        or not isinstance(signatures, list)
        or len(signatures) != 1
    ):
        raise _malformed("it needs one signature, and a payload of our type")
    if not isinstance(signatures[0], dict):
        raise _malformed("its signature has no form")
    payload, signature = _from_base64(document["payload"]), _from_base64(signatures[0].get("sig"))
    # 2. Its payload is a statement about a bundle.
    statement = _object(payload, {"_type", "subject", "predicateType", "predicate"})
    if statement["_type"] != STATEMENT_TYPE or statement["predicateType"] != PREDICATE_TYPE:
        raise _malformed("it is not about an offline bundle")
    predicate = statement["predicate"]
    if not isinstance(predicate, dict) or not isinstance(predicate.get("vkey"), str):
        raise _malformed("it names no key")
    # 3. The key that it names is the trusted one, and has signed.
    _, key = parse_vkey(predicate["vkey"])
    is_trusted = trusted_vkey is None or parse_vkey(trusted_vkey)[1] == key
    kind = PAYLOAD_TYPE.encode()
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    if not is_trusted or not is_signed_by(key, message, signature):
        raise BundleError(
            "the bundle is not signed by the key that is trusted here",
            "Do not install it. Ask for the bundle again, and for the supplier's key.",
            EX_NOPERM,
        )
    return statement


def listed_files(statement: dict[str, Any]) -> dict[str, tuple[str, int]]:
    """Return sha256 and size by name; names are plain, relative and do not climb.

    Raises:
        BundleError: the list is malformed.
    """
    subjects = statement["subject"]
    if not isinstance(subjects, list) or not 0 < len(subjects) <= MAX_FILES:
        raise _malformed("it lists no files, or too many")
    files: dict[str, tuple[str, int]] = {}
    for subject in subjects:
        try:
            name, sha256, size = (
                subject["name"],
                subject["digest"]["sha256"],
                subject["annotations"]["size"],
            )
        except (KeyError, TypeError):
            raise _malformed("a file lacks name, hash or size") from None
        if (
            not isinstance(name, str)
            or not _NAME.fullmatch(name)
            or name in files
            or name == ENVELOPE
        ):
            raise _malformed("a file's name is not allowed, or stands twice")
        if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
            raise _malformed("a file's hash is no SHA-256")
        if type(size) is not int or size < 0:
            raise _malformed("a file's size is wrong")
        files[name] = (sha256, size)
    return files


def _object(data: bytes, keys: set[str]) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise _malformed("it is not JSON") from None
    if not isinstance(document, dict) or document.keys() != keys:
        raise _malformed(f"it needs {', '.join(sorted(keys))}, and nothing else")
    return document


def _from_base64(text: Any) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error):
        raise _malformed("something in it is not base64") from None


def _malformed(problem: str) -> BundleError:
    return BundleError(f"the bundle is malformed: {problem}", "Copy it again, or make it again.")


# --- the file --------------------------------------------------------------------------------------------------------


def check_bundle(path: Path, trusted_vkey: str | None) -> dict[str, Any]:
    """Return the statement of a bundle whose signature and whose every file are right. Nothing is written.

    Raises:
        BundleError: anything is not as it should be.
        OSError: the file cannot be read.
    """
    return _go_through(path, trusted_vkey, None)


def unpack_bundle(path: Path, target: Path, trusted_vkey: str | None) -> dict[str, Any]:
    """Check a bundle, then write its files below a folder that does not exist yet; it appears whole or not at all.

    Raises:
        BundleError: anything is not as it should be.
        OSError: a file cannot be read or written.
    """
    statement = check_bundle(path, trusted_vkey)
    temporary = target.with_name(f"{target.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o755)
    try:
        # The file may have been exchanged since: it is checked again while it is written.
        if _go_through(path, statement["predicate"]["vkey"], temporary) != statement:
            raise _malformed("it changed while it was read")
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return statement


def _go_through(path: Path, trusted_vkey: str | None, target: Path | None) -> dict[str, Any]:
    try:
        with tarfile.open(path, "r:") as archive:
            first = archive.next()
            if (
                first is None
                or first.name != ENVELOPE
                or not first.isreg()
                or first.size > MAX_ENVELOPE_BYTES
            ):
                raise _malformed(f"its first member is not {ENVELOPE}")
            statement = verify_envelope(_stream(archive, first).read(), trusted_vkey)
            files = listed_files(statement)
            while (member := archive.next()) is not None:
                # 4. Each member is a plain file that is listed, once; its name here is the listed one.
                if not member.isreg() or member.name not in files:
                    raise _malformed(f"a member is not listed: {member.name[:100]!r}")
                sha256, size = files.pop(member.name)
                # 5. It is what was signed.
                if (
                    member.size != size
                    or _copy(_stream(archive, member), target and target / member.name) != sha256
                ):
                    raise BundleError(
                        f"{member.name} is not what was signed", "Copy the bundle again."
                    )
    except tarfile.TarError as exc:
        raise _malformed(str(exc)) from exc
    # 6. Nothing is missing.
    if files:
        raise _malformed(f"files are missing: {', '.join(sorted(files)[:5])}")
    return statement


def _stream(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(member)
    assert stream is not None  # it is a regular file
    return stream


def _copy(stream: IO[bytes], target: Path | None) -> str:
    """Return the hash of what a stream gives; write it to a new file if one is named."""
    digest = hashlib.sha256()
    if target is None:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
        return digest.hexdigest()
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with target.open("xb") as file:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
    target.chmod(0o644)
    return digest.hexdigest()


def main(argv: list[str] | None = None) -> int:
    """Check, and unpack if a folder is named; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="bundle", description="Check an offline bundle, and unpack it."
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("target", type=Path, nargs="?", help="folder to make; none: only check")
    parser.add_argument("--vkey", help="key that must have signed; none: trust the one it names")
    parser.add_argument("--write-vkey", type=Path, metavar="FILE", help="write the key that signed")
    arguments = parser.parse_args(argv)
    try:
        if arguments.target is None:
            statement = check_bundle(arguments.bundle, arguments.vkey)
        else:
            statement = unpack_bundle(arguments.bundle, arguments.target, arguments.vkey)
        vkey = statement["predicate"]["vkey"]
        if arguments.write_vkey is not None:
            arguments.write_vkey.write_text(f"{vkey}\n", "utf-8")
    except BundleError as exc:
        print(f"bundle: {exc}\n→ {exc.advice}", file=sys.stderr)
        return exc.exit_code
    except OSError as exc:
        print(f"bundle: {exc}\n→ Check the path, and the space on the disk.", file=sys.stderr)
        return EX_NOINPUT if isinstance(exc, FileNotFoundError) else EX_TEMPFAIL
    version, files = statement["predicate"].get("version"), len(statement["subject"])
    print(f"bundle: {version}, {files} files; signature and hashes are right")
    print(f"bundle: vkey {vkey}\nbundle: SHA-256 {fingerprint(vkey)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
