"""How the text of a proof becomes a file of 2 KB, and back; no files here.

Two forms. gzip (RFC 1952), so that ``zcat FILE`` shows the text, while that stays within `AIM_BYTES`. For a longer
LogLine or a larger log: ``VVP1``, then deflate (RFC 1951) that starts from `DICTIONARY`, which saves some 400 bytes.
Deflate has bits that nobody checks. In both forms the first 16 bytes of the SHA-256 of all that follows stand in
front (in gzip as an extra field of the header, section 2.3.1.1, id ``VV``): a file is right to the last bit.
"""

from __future__ import annotations

import zlib
from hashlib import sha256

from vv_core.errors import InputDataError

PROOF_SUFFIX = ".vvproof"
AIM_BYTES = 2048
"""What a proof of a common LogLine stays below, in a log of a million lines and with a witness."""

_DIGEST_BYTES = 16
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP = bytes.fromhex("1f8b0804 00000000 02ff 1400") + b"VV" + bytes([_DIGEST_BYTES, 0])
_PACKED = b"VVP1"

DICTIONARY = (
    '{"did":"saw people","entities":[],"names":[],"status":"confirmado","curado","alerta",'
    '"experimental","language":"en","when_origin":"mtime","container","camera":"","duration_ms":'
    '"title":"this":"Nada foi visto. foram vistas no máximo pessoas ao mesmo tempo, foi vista uma '
    "pessoa na gravação. A pessoa aparece entre do vídeo. Um rosto fica visível. Um carro Entre "
    '{"did":"viu pessoas","entities":[{"count":1,"label":"motion"},{"count":1,"label":"car"},'
    '{"count":1,"label":"face"},{"count":1,"label":"person"}],"evidence":{"analytic_sha256":"",'
    '"detector":"yolov8n_int8_openvino_model","detector_sha256":null,"model_sha256":null,'
    '"prompt_sha256":null,"rules_sha256":"","summary_sha256":"","video_sha256":"","writer":"rules"},'
    '"id":"2026","language":"pt-BR","log":{"origin":"vv-log/","previous":"","seq":1},'
    '"logged_at":"2026-","media":{"bytes":1,"camera":"","duration_ms":0,"picture":'
    '".pictures/best-object-person.jpg","picture_sha256":""},"names":[],"schema":"vv.logline/2",'
    '"signature_details":{"algorithm":"HMAC-SHA256","key_id":"k2026","signature":""},"source":".mp4",'
    '"status":"confirmado","status_rule":"","this":"","title":"na gravação","when":"2026-",'
    '"when_origin":"name","who":"Câmera , equipamento "}\n'
    "c2sp.org/tlog-proof@v1\nindex \n\n— vv-log/\n— vv-witness/"
).encode()
"""Part of the format ``VVP1``: never to be changed, or proofs that were handed out cannot be read any more."""


class ProofError(InputDataError):
    """Data is not a proof of an exported clip."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"not a proof of a LogLine: {problem}",
            advice="Use the file as vv-log export wrote it; ask for it again.",
        )
        self.problem = problem

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild when the error crosses a process."""
        return (ProofError, (self.problem,))


def pack(line: bytes, rest: bytes) -> bytes:
    """Return the file for a text of two parts: the line with its newline, and the tlog-proof."""
    text = line + rest
    trailer = zlib.crc32(text).to_bytes(4, "little") + len(text).to_bytes(4, "little")
    data = _with_digest(_GZIP, _deflate(line, rest, b"") + trailer)
    return (
        data if len(data) <= AIM_BYTES else _with_digest(_PACKED, _deflate(line, rest, DICTIONARY))
    )


def unpack(data: bytes, max_bytes: int) -> bytes:
    """Return the text in a file; a plain text is returned as it is.

    Raises:
        ProofError: the file is not right to the last bit, or its text is larger than ``max_bytes``.
    """
    if data.startswith(_GZIP_MAGIC):
        body = _check_digest(_GZIP, data)
        text, unused = _inflate(body, b"", max_bytes)
        trailer = zlib.crc32(text).to_bytes(4, "little") + len(text).to_bytes(4, "little")
    elif data.startswith(_PACKED):
        text, unused = _inflate(_check_digest(_PACKED, data), DICTIONARY, max_bytes)
        trailer = b""
    else:
        return data
    if unused != trailer:
        raise ProofError("something follows it")
    return text


def _with_digest(head: bytes, body: bytes) -> bytes:
    return head + sha256(body).digest()[:_DIGEST_BYTES] + body


def _check_digest(head: bytes, data: bytes) -> bytes:
    """Return what follows the digest. All of it is then as it was written; what is wrong was written so."""
    body = data[len(head) + _DIGEST_BYTES :]
    if data != _with_digest(head, body):
        raise ProofError("it was changed, or is a file of something else")
    return body


def _deflate(line: bytes, rest: bytes, dictionary: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zdict=dictionary)
    # Two blocks: JSON with hexadecimal digits packs by other codes than base64 does.
    head = packer.compress(line) + packer.flush(zlib.Z_BLOCK)
    return head + packer.compress(rest) + packer.flush()


def _inflate(body: bytes, dictionary: bytes, max_bytes: int) -> tuple[bytes, bytes]:
    """Return the text, and what follows it."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, zdict=dictionary)
    try:
        text = unpacker.decompress(body, max_bytes + 1)
    except zlib.error:
        raise ProofError("it cannot be unpacked") from None
    if not unpacker.eof or len(text) > max_bytes:
        raise ProofError("it is too large, or cut")
    return text, unpacker.unused_data
