from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vv_core.tlog.checkpoint import Checkpoint, parse_checkpoint
from vv_core.tlog.merkle import EMPTY_ROOT
from vv_core.tlog.note import NoteError

ROOT = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
HEAD = Checkpoint("example.com/behind-the-sofa", 20_852_163, ROOT)


def test_the_example_of_the_specification() -> None:
    assert parse_checkpoint(TEXT) == HEAD
    assert HEAD.encode() == TEXT


def test_extension_lines_are_kept() -> None:
    head = parse_checkpoint(f"{TEXT}extra 1\n— extra 2\n")
    assert head.extensions == ("extra 1", "— extra 2")
    assert head.encode() == f"{TEXT}extra 1\n— extra 2\n"


B64 = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
BAD = {
    "empty": "",
    "no last newline": TEXT[:-1],
    "two lines": "a\n1\n",
    "empty origin": f"\n1\n{B64}\n",
    "empty extension": f"{TEXT}\n",
    "empty line before an extension": f"{TEXT}\nx\n",
    "leading zero": f"a\n01\n{B64}\n",
    "sign": f"a\n+1\n{B64}\n",
    "minus": f"a\n-1\n{B64}\n",
    "digits of another script": f"a\n١\n{B64}\n",
    "space": f"a\n1 \n{B64}\n",
    "size beyond 63 bits": f"a\n9223372036854775808\n{B64}\n",
    "very long size": f"a\n{'9' * 5000}\n{B64}\n",
    "short root": f"a\n1\n{B64[:-8]}\n",
    "31 bytes": f"a\n1\n{base64.b64encode(ROOT[:31]).decode()}\n",
    "33 bytes": f"a\n1\n{base64.b64encode(ROOT + b'x').decode()}\n",
    "other spelling of the root": f"a\n1\n{B64.replace('q2I=', 'q2J=')}\n",
    "URL-safe base64": f"a\n1\n{B64.replace('/', '_')}\n",
    "root twice": f"a\n1\n{B64}{B64}\n",
    "hex root": f"a\n1\n{ROOT.hex()}\n",
    "empty tree with a root": f"a\n0\n{B64}\n",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text)


def test_the_empty_log() -> None:
    head = Checkpoint("a", 0, EMPTY_ROOT)
    assert parse_checkpoint(head.encode()) == head


@given(st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_what_is_encoded_is_read_back(size: int, root: bytes) -> None:
    head = Checkpoint("voulezvous.tv/vv/box", size, root, ("x",))
    assert parse_checkpoint(head.encode()) == head


BAD_FIELDS = [
    Checkpoint("a\nb", 1, ROOT),
    Checkpoint("", 1, ROOT),
    Checkpoint("a", -1, ROOT),
    Checkpoint("a", 1, b"short"),
    Checkpoint("a", 1, ROOT, ("",)),
    Checkpoint("a", 1, ROOT, ("x\ny",)),
]


@pytest.mark.parametrize("head", BAD_FIELDS)
def test_what_cannot_be_encoded(head: Checkpoint) -> None:
    with pytest.raises(ValueError):
        head.encode()
