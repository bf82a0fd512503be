"""Send the same again and again, as fast as the server takes it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.abuse.outcome import Outcome, name_of
from benchmarks.abuse.talker import PollingTalker, Talker, answer_of, code_of, message
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import CONTINUATION, FIN, PING, TEXT, Ended, event, frame

CONNECTIONS = 4
BLOCK = 64_000
"""Bytes of one write."""

AGAIN_SECONDS = 0.1
"""After which one that was closed or refused comes again."""

Prepare = Callable[[Talker], Awaitable[tuple[bytes, bytes]]]
"""Returns what a connection sends first, and what it sends again and again."""


def filled(piece: bytes) -> bytes:
    """Return a piece as often as it goes into a block."""
    return piece * max(1, BLOCK // len(piece))


async def flood(
    target: Target, prepare: Prepare, seconds: float, connections: int = CONNECTIONS
) -> Outcome:
    """Send on each of the connections for so long; one that is closed comes again."""
    outcome = Outcome()
    until = time.monotonic() + seconds

    async def go_on() -> None:
        while time.monotonic() < until:
            try:
                await _send(target, prepare, until, outcome.endings)
            except (Ended, OSError, TimeoutError) as error:
                outcome.endings[name_of(error)] += 1
                await asyncio.sleep(AGAIN_SECONDS)

    await asyncio.gather(*(go_on() for _ in range(connections)))
    return outcome


async def _send(target: Target, prepare: Prepare, until: float, endings: Counter[str]) -> None:
    client = await Talker.open(target.port)
    listening: asyncio.Task[None] | None = None
    try:
        first, block = await prepare(client)
        listening = asyncio.create_task(_listen(client, endings))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                await client.send(first)
                while not listening.done():
                    await client.send(block)
                    await asyncio.sleep(0)
        if listening.done():
            listening.result()
        endings["held back"] += 1
    except Ended:
        if listening:
            await asyncio.wait_for(listening, 1.0)  # its close frame says more than a reset
        raise
    finally:
        if listening:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        client.close()


async def _listen(client: Talker, endings: Counter[str]) -> None:
    while True:
        payload = await client.receive()
        if payload.startswith(b"43"):
            endings[code_of(answer_of(payload))] += 1


@dataclass(frozen=True)
class Frames:
    """Sends `first` once, and pieces again and again that need nothing of the server."""

    first: bytes
    piece: bytes

    async def __call__(self, _client: Talker) -> tuple[bytes, bytes]:
        """Return what is sent first, and a block of the pieces."""
        return self.first, filled(self.piece)


def small_fragments(size: int) -> Frames:
    """Return what sends one message for ever, in fragments of so many bytes.

    Of one byte Python keeps no object each; of two it does.
    """
    return Frames(frame(b"", TEXT), frame(b"a" * size, CONTINUATION))


def pings(size: int) -> Frames:
    """Return what sends WebSocket pings with so many bytes."""
    return Frames(b"", frame(b"p" * size, FIN | PING))


def events(name: str, *arguments: object) -> Frames:
    """Return what sends an event, and asks for an answer."""
    return Frames(b"", message(name, *arguments, ack=1))


async def seeks(client: Talker) -> tuple[bytes, bytes]:
    """Start a long text; move back in it, and on, as fast as possible."""
    stream_id = await _started(client)
    await asyncio.sleep(0.5)  # for what is moved in to be there
    pieces = [
        event("resume_stream", {"id": stream_id, "offset": offset, "format": "chunk"}, ack=1)
        for offset in (0, 500, 1, 90)
    ]
    return b"", filled(b"".join(pieces))


async def paces(client: Talker) -> tuple[bytes, bytes]:
    """Start a long text; change its pace as fast as possible."""
    stream_id = await _started(client)
    pieces = [event("set_rate", {"id": stream_id, "rate": r}, ack=1) for r in (1, 50_000, 0, 7)]
    return b"", filled(b"".join(pieces))


async def _started(client: Talker) -> str:
    request = {"text": "a sentence of text. " * 5000, "rate": 5000, "format": "chunk"}
    answer = await client.ask("start_stream", request)
    if not answer["ok"]:
        raise Ended(code_of(answer))
    return str(answer["stream"]["id"])


async def posts(target: Target, events: int, sessions: int, seconds: float) -> Outcome:
    """Post so many events at a time, and fetch their answers, in some polling sessions."""
    outcome = Outcome()
    body = [f'42{n}["describe_stream",{{"id":"nobody"}}]'.encode() for n in range(events)]
    until = time.monotonic() + seconds
    counted = itertools.count()

    async def go_on(_number: int) -> None:
        session: PollingTalker | None = None
        while time.monotonic() < until:
            try:
                session = session or await PollingTalker.open(target.port)
                status = await session.post(*body)
                outcome.endings[f"HTTP {status}"] += 1
                if status != 200:
                    session = None
                    await asyncio.sleep(AGAIN_SECONDS)
                elif next(counted) % 8 == 0:
                    await session.poll()
            except (Ended, OSError, TimeoutError) as error:
                outcome.endings[name_of(error)] += 1
                session = None
                await asyncio.sleep(AGAIN_SECONDS)

    await asyncio.gather(*map(go_on, range(sessions)))
    return outcome
