"""Connections that come and go in every way, and what they leave behind."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from benchmarks.abuse.outcome import MEGABYTE, Outcome, name_of
from benchmarks.abuse.polling import POLLING, http, poll_open
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import (
    EOF,
    NORMAL,
    POLICY_VIOLATION,
    PROTOCOL_ERROR,
    Client,
    Ended,
    close_frame,
    event,
    frame,
    handshake,
)

AT_A_TIME = 32
"""From when each request was a thread of its own; the same, so that runs can be compared."""

SETTLE_SECONDS = 30.0
"""For streams' grace and idle threads."""

SESSIONS_SECONDS = 18.0
"""For sessions that were abandoned: 3 s to a heartbeat, 3 s for its answer, and up to twice 3 s,
and some for the work, until Engine.IO's monitor has ended it and forgotten it."""

ALLOWED_LEFT = {"threads": 16}
"""A pool's threads begin when there is work for them, and stay: the front's and gunicorn's."""

Way = Callable[["Visitors"], Coroutine[Any, Any, None]]


class Wrong(Exception):
    """The server did not answer a way of going as it should."""


class Visitors:
    """Many connections; notes the Engine.IO sessions they had."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.port = target.port
        self.sids: list[str] = []

    async def open(self) -> Client:
        """Return a client that has completed its CONNECT."""
        client = await Client.open(self.port)
        self.sids.append(client.sid)
        return client

    async def streaming(self) -> Client:
        """Return a client in the middle of a stream."""
        client = await self.open()
        await client.send(event("start_stream", {"text": "a" * 2000, "rate": 100}))
        await client.wait_for(b'42["new_char"')
        return client

    async def polling(self) -> str:
        """Return the path of a polling session that has sent its CONNECT."""
        self.sids.append(sid := await poll_open(self.port))
        await http(self.port, "POST", f"{POLLING}&sid={sid}", b"40")
        return f"{POLLING}&sid={sid}"

    async def probed(self, path: str) -> Client:
        """Return a WebSocket that has sent the probe of an upgrade."""
        client = await Client.connect(self.port)
        await client.upgrade(path.replace("=polling", "=websocket"))
        await client.send(frame(b"2probe"))
        await client.wait_for(b"3probe")
        return client


async def close_frame_first(visitors: Visitors) -> None:
    client = await visitors.open()
    await client.send(close_frame())
    await _expect(client, NORMAL)


async def fin(visitors: Visitors) -> None:
    (await visitors.open()).close()


async def rst(visitors: Visitors) -> None:
    (await visitors.open()).reset()


async def half_open(visitors: Visitors) -> None:
    client = await visitors.open()
    client.sock.shutdown(1)
    await _expect(client, EOF)


async def half_request(visitors: Visitors) -> None:
    client = await Client.connect(visitors.port)
    request = handshake(visitors.port)
    await client.send(request[: len(request) // 2])
    client.close()


async def request_only(visitors: Visitors) -> None:
    client = await Client.connect(visitors.port)
    await client.send(handshake(visitors.port))
    client.close()


async def upgrade_then_poll(visitors: Visitors) -> None:
    path = await visitors.polling()
    (await visitors.probed(path)).close()
    await http(visitors.port, "POST", path, b"1")


async def upgrade_abandoned(visitors: Visitors) -> None:
    (await visitors.probed(await visitors.polling())).reset()


async def upgraded_rst(visitors: Visitors) -> None:
    client = await visitors.probed(await visitors.polling())
    await client.send(frame(b"5"))
    client.reset()


async def server_side(visitors: Visitors) -> None:
    client = await visitors.open()
    await client.send(frame(b""))  # no Engine.IO packet
    await _expect(client, POLICY_VIOLATION)


async def broken_frame(visitors: Visitors) -> None:
    client = await visitors.open()
    await client.send(frame(b"2", masked=False))
    await _expect(client, PROTOCOL_ERROR)


async def disconnect_packet(visitors: Visitors) -> None:
    client = await visitors.open()
    await client.send(frame(b"41"))
    client.close()


async def mid_stream_fin(visitors: Visitors) -> None:
    (await visitors.streaming()).close()


async def mid_stream_rst(visitors: Visitors) -> None:
    (await visitors.streaming()).reset()


WAYS: tuple[Way, ...] = (
    *(close_frame_first, fin, rst, half_open, half_request, request_only),
    *(upgrade_then_poll, upgrade_abandoned, upgraded_rst, server_side, broken_frame),
    *(disconnect_packet, mid_stream_fin, mid_stream_rst),
)


async def _expect(client: Client, ending: str) -> None:
    try:
        if (was := await client.ending()) != ending:
            raise Wrong(was)
    finally:
        client.close()


async def churn(target: Target, count: int) -> Outcome:
    """Let `count` connections come and go, then compare what is there with what was before."""
    outcome = Outcome()
    visitors = Visitors(target)
    descriptors, threads, streams = target.descriptors(), target.threads(), await target.streams()
    memory = target.memory()
    queue = iter(range(count))
    began = time.monotonic()

    async def work() -> None:
        for number in queue:
            way = WAYS[number % len(WAYS)]
            try:
                await way(visitors)
                outcome.endings["as expected"] += 1
            except (Ended, Wrong, OSError) as error:
                name = str(error) if isinstance(error, Wrong) else name_of(error)
                outcome.endings[f"{way.__name__}: {name}"] += 1

    await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
    seconds = time.monotonic() - began
    outcome.notes.append(f"{count / seconds:.0f} connections/s")
    outcome.expect("as expected")
    left = await _leftovers(visitors, descriptors, threads, streams)
    kept = (target.memory() - memory) / MEGABYTE
    outcome.notes.append(f"{kept:+.1f} MB resident afterwards")
    outcome.notes.append("left: " + ", ".join(f"{n:+d} {what}" for what, n in left.items()))
    outcome.failures += [
        f"{n} {what} are left" for what, n in left.items() if n > ALLOWED_LEFT.get(what, 0)
    ]
    return outcome


async def _leftovers(
    visitors: Visitors, descriptors: int, threads: int, streams: int
) -> Counter[str]:
    """Wait until nothing is left, but not for ever; return what is."""
    target = visitors.target
    left: Counter[str] = Counter()
    began = time.monotonic()
    while True:
        left["descriptors"] = target.descriptors() - descriptors
        left["threads"] = target.threads() - threads
        left["streams"] = await target.streams() - streams
        if max(left.values()) <= 0 or time.monotonic() > began + SETTLE_SECONDS:
            break
        await asyncio.sleep(0.25)
    # Only now, and only once: Engine.IO forgets an ended session that somebody asks for.
    await asyncio.sleep(max(0.0, began + SESSIONS_SECONDS - time.monotonic()))
    left["sessions"] = len(await target.sessions(visitors.sids))
    return left
