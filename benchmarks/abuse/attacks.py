"""What hostile clients do. Each attack says how its offenders ended, and what was wrong with that.

The limits and times in here are those that the server promises in ``docs/transport.md``.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

from benchmarks.abuse.outcome import MEGABYTE, Outcome, all_of
from benchmarks.abuse.polling import poll_open
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import (
    CONTINUATION,
    FIN,
    POLICY_VIOLATION,
    PROTOCOL_ERROR,
    RSV1,
    TEXT,
    TOO_BIG,
    Client,
    Ended,
    event,
    frame,
)

FRAGMENTS = 200 * MEGABYTE
FRAGMENT = 64_000
LONG_BEFORE = 40 * MEGABYTE
"""Bytes of a message that never ends by which it must have been refused."""

BOMB = 800 * MEGABYTE
HANDSHAKES = 1000
SESSIONS_GONE_SECONDS = 20.0
EVENTS = 3000
SILENT = 500
CONNECT_SECONDS = 10.0
SLACK = 3.0
"""Seconds that a deadline may be missed by on a machine that is busy."""


Run = Callable[[Target], Awaitable[Outcome]]


@contextlib.asynccontextmanager
async def opened(port: int, count: int) -> AsyncIterator[list[Client]]:
    """Yield so many clients that have completed their CONNECT; close them in the end."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(count):
            client = await Client.open(port)
            stack.callback(client.close)
            clients.append(client)
        yield clients


async def fragments(target: Target) -> Outcome:
    """Send a text message of 200 MB as fragments, of which none is the last."""
    outcome = Outcome()
    async with opened(target.port, 1) as (client,):
        ending = asyncio.create_task(client.ending(60.0))
        payload = b"a" * FRAGMENT
        first, more = frame(payload, TEXT), frame(payload, CONTINUATION)
        sent = 0
        while sent < FRAGMENTS and not ending.done():
            try:
                await client.send(more if sent else first)
            except Ended:
                break
            sent += FRAGMENT
            await asyncio.sleep(0)  # or the close frame is never looked at
        outcome.endings[await ending] += 1
    outcome.notes.append(f"{sent / MEGABYTE:.1f} MB sent")
    outcome.expect(TOO_BIG)
    if sent > LONG_BEFORE:
        outcome.failures.append(f"{sent / MEGABYTE:.0f} MB were taken before the end")
    return outcome


async def deflate_bomb(target: Target) -> Outcome:
    """Offer permessage-deflate, and send a frame that would become 800 MB."""
    outcome = Outcome()
    client = await Client.connect(target.port)
    try:
        offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        head = await client.upgrade(headers=offer)
        if "sec-websocket-extensions" in head:
            outcome.failures.append("permessage-deflate was negotiated")
        await client.take_open()
        bomb = _bomb()
        outcome.notes.append(f"{len(bomb) / 1000:.0f} kB compressed")
        await client.send(frame(bomb, FIN | RSV1 | TEXT))
        outcome.endings[await client.ending()] += 1
    except Ended as ended:  # while it was sent
        outcome.endings[await client.ending() if ended.ending == "RST" else ended.ending] += 1
    finally:
        client.close()
    outcome.expect(PROTOCOL_ERROR)
    return outcome


def _bomb() -> bytes:
    # One compressed block, again and again: after a full flush a block depends on none before.
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflate.compress(b"")
    block = deflate.compress(b"a" * MEGABYTE) + deflate.flush(zlib.Z_FULL_FLUSH)
    return block * (BOMB // MEGABYTE)


async def handshakes(target: Target) -> Outcome:
    """Make 1,000 polling handshakes within a second, and never follow them up."""
    outcome = Outcome()
    sids: list[str] = []

    async def shake() -> None:
        try:
            sids.append(await poll_open(target.port))
            outcome.endings["opened"] += 1
        except Ended as ended:
            outcome.endings[ended.ending] += 1
        except (OSError, TimeoutError) as error:
            outcome.endings[type(error).__name__] += 1

    began = time.monotonic()
    shaking = []
    for number in range(HANDSHAKES):
        shaking.append(asyncio.create_task(shake()))
        await asyncio.sleep(max(0.0, began + (number + 1) / HANDSHAKES - time.monotonic()))
    await asyncio.gather(*shaking)
    answered = time.monotonic() - began
    gone = await _wait_until_gone(target, sids)
    outcome.notes += [
        f"answered in {answered:.1f} s",
        f"sessions gone after {gone:.1f} s" if gone else "sessions stayed",
    ]
    outcome.expect("opened", "HTTP 429", "HTTP 503")
    if gone is None:
        outcome.failures.append(f"sessions exist {SESSIONS_GONE_SECONDS:g} s after the timeouts")
    return outcome


async def _wait_until_gone(target: Target, sids: list[str]) -> float | None:
    """Return the seconds until all these sessions were gone; None: they stayed."""
    began = time.monotonic()
    sample = sids[:: max(1, len(sids) // 10)]  # few at first: asking is work for the server too
    while time.monotonic() - began < SESSIONS_GONE_SECONDS:
        if not await target.sessions(sample) and not await target.sessions(sids):
            return time.monotonic() - began
        await asyncio.sleep(0.5)
    return None


async def events(target: Target) -> Outcome:
    """Send 3,000 events on one socket, as fast as it takes them: bad ones, and starts."""
    outcome = Outcome()
    async with opened(target.port, 1) as (client,):
        answers = asyncio.create_task(_answers(client, EVENTS))
        began = time.monotonic()
        try:
            for number in range(EVENTS):
                await client.send(_event(number))
        except Ended as ended:
            outcome.endings[ended.ending] += 1
        outcome.endings += await answers
        seconds = time.monotonic() - began
    outcome.notes.append(f"{seconds:.1f} s")
    outcome.expect("ok", "refused")
    return outcome


def _event(number: int) -> bytes:
    if number % 3 == 0:
        return event("set_rate", {"id": "nobody", "rate": -1}, ack=number)
    request = {"text": "a" * 1000, "rate": 20, "format": ("char", "chunk")[number % 2]}
    return event("start_stream", request, ack=number)


async def _answers(client: Client, count: int) -> Counter[str]:
    """Return what the acknowledgements say, and how it ended if it did."""
    answers: Counter[str] = Counter()
    try:
        async with asyncio.timeout(40.0):
            while answers.total() < count:
                payload = await client.receive()
                if payload == b"2":
                    await client.send(frame(b"3"))
                elif payload.startswith(b"43"):
                    answers["ok" if b'"ok":true' in payload else "refused"] += 1
    except Ended as ended:
        answers[ended.ending] += 1
    except TimeoutError:
        answers["no answer"] += count - answers.total()
    return answers


async def silent(target: Target) -> Outcome:
    """Open 500 WebSockets that never send a Socket.IO CONNECT."""
    outcome = Outcome()
    clients: list[Client] = []
    ended: list[float] = []

    async def be_silent() -> str:
        opened_at = time.monotonic()
        clients.append(client := await Client.connect(target.port))
        try:
            await client.upgrade()
            ending = await client.ending(CONNECT_SECONDS + SLACK + 10.0)
        except Ended as error:
            return error.ending
        ended.append(time.monotonic() - opened_at)
        return ending

    try:
        outcome.endings.update(await all_of(be_silent() for _ in range(SILENT)))
    finally:
        for client in clients:
            client.close()
    outcome.notes.append(f"closed after {min(ended, default=0):.1f}–{max(ended, default=0):.1f} s")
    outcome.expect(POLICY_VIOLATION)
    if max(ended, default=0.0) > CONNECT_SECONDS + SLACK + 2.0:  # they do not open all at once
        outcome.failures.append(f"closed {max(ended):.0f} s after the opening")
    return outcome
