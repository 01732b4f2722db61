"""A small installation to sign and to tamper with."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vv_core.manifest.sign import KEY_NAME, sign_installation
from vv_core.tlog.note import Signer

FILES = {
    "README.md": b"read me\n",
    "vv-core/__init__.py": b"",
    "vv-core/pipeline/cycle.py": b"print('cycle')\n",
    "scripts/run.sh": b"#!/bin/sh\n",
    "fallback/câmera.txt": "olá\n".encode(),
}
EXECUTABLE = {"scripts/run.sh"}
SIGNER = Signer(KEY_NAME, Ed25519PrivateKey.from_private_bytes(b"\5" * 32))
OTHER = Signer(KEY_NAME, Ed25519PrivateKey.from_private_bytes(b"\6" * 32))


class FixedClock:
    """Always the same time."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 5, 3, 4, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


def make_tree(root: Path) -> Path:
    """Write the files of an installation."""
    for name, data in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755 if name in EXECUTABLE else 0o644)
    return root


def sign_tree(root: Path, signer: Signer = SIGNER) -> list[str]:
    """Sign an installation; return what was left out."""
    return sign_installation(root, signer, FixedClock())[1]


def git(root: Path, *arguments: str) -> None:
    """Run git in a folder, with an identity of its own."""
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments]
    subprocess.run(command, check=True, timeout=60, capture_output=True, cwd=root)
