"""Plain HTTP requests, and Engine.IO's polling."""

from __future__ import annotations

import asyncio
import json

from benchmarks.abuse.wire import HOST, PATIENCE, Client, Ended

POLLING = "/socket.io/?EIO=4&transport=polling"


async def http(
    port: int,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    headers: str = "",
    source: str | None = None,
) -> tuple[int, bytes]:
    """Make a plain request; return status and body. `headers`: lines with their ends.

    Raises:
        Ended: there was no answer.

    """
    client = await Client.connect(port, source=source)
    try:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n"
            f"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {len(body)}\r\n"
            f"{headers}\r\n"
        )
        await client.send(head.encode() + body)
        async with asyncio.timeout(PATIENCE):
            return await client.take_answer()
    finally:
        client.close()


async def poll_open(port: int, source: str | None = None) -> str:
    """Make an Engine.IO polling handshake; return the session's id.

    Raises:
        Ended: it was refused; the ending has the HTTP status.

    """
    status, body = await http(port, "GET", POLLING, source=source)
    if status != 200:
        raise Ended(f"HTTP {status}")
    return str(json.loads(body[1:])["sid"])
