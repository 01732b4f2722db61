"""Asking a camera whether it answers, without logging in."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from tv_mirror_ui.cameras import Address, Kind

TIMEOUT_S = 1.0
_QUESTIONS = {
    "rtsp": "OPTIONS {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    "http": "HEAD / HTTP/1.0\r\n\r\n",
}


async def answers(address: Address, timeout_s: float = TIMEOUT_S) -> bool:
    """Tell whether somebody speaks there: a connection alone says nothing, a hung camera accepts it too.

    Any answer counts, a refusal too. Behind TLS the connection must do.
    """
    if address.kind is Kind.FILE:
        return Path(address.url).is_file()
    question = _QUESTIONS.get(address.url.partition(":")[0])
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            try:
                if question is None:
                    return True
                where = f"rtsp://{address.host}:{address.port}/"
                writer.write(question.format(url=where).encode("ascii", "replace"))
                return bool(await reader.read(1))
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except OSError:  # TimeoutError is one
        return False
