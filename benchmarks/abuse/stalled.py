"""Clients that hold on to what they have: that never read, or never end an upgrade."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

from benchmarks.abuse.attacks import SLACK
from benchmarks.abuse.memory import LONGEST_TEXT
from benchmarks.abuse.outcome import Outcome, all_of
from benchmarks.abuse.polling import POLLING, http, poll_open
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import (
    EOF,
    OPEN,
    POLICY_VIOLATION,
    RST,
    Client,
    Ended,
    event,
    frame,
)

NON_READERS = 50
STALL_SECONDS = 15.0
MOST_SECONDS = STALL_SECONDS + SLACK + 2.0
LOOK_SECONDS = 36.0
"""How long is waited for those that are late, to say when they were closed."""

STREAMS = 16
"""As many as a client may run."""

SMALL_BUFFER = 4096
UPGRADES = 50
UPGRADE_SECONDS = 10.0


async def non_readers(target: Target) -> Outcome:
    """Ask for an endless unpaced stream on each of 50 connections, and read nothing of it.

    Half have a small receive buffer, so that the server's kernel keeps what they do not take;
    every other pair asks for chunks; every third sends pongs that nobody asked for, as if it had
    read.
    """
    return await _do_not_read(target, {"source": "endless", "rate": 0}, streams=1)


async def hoarders(target: Target) -> Outcome:
    """The same, but with as many streams as there may be, each of the longest text."""
    return await _do_not_read(target, {"text": "a" * LONGEST_TEXT, "rate": 0}, streams=STREAMS)


async def _do_not_read(target: Target, request: dict[str, Any], streams: int) -> Outcome:
    outcome = Outcome()
    clients: list[Client] = []
    before = target.descriptors()
    pongs: asyncio.Task[None] | None = None
    try:
        for number in range(NON_READERS):
            buffer = SMALL_BUFFER if number % 2 else None
            client = await Client.open(target.port, buffer)
            clients.append(client)
        began = time.monotonic()
        await asyncio.gather(*(_ask(c, n, request, streams) for n, c in enumerate(clients)))
        pongs = asyncio.create_task(_send_pongs(clients[::3]))
        closed = await _wait_for_closes(target, before, began)
        pongs.cancel()
        outcome.endings.update(await all_of(client.ending(5.0) for client in clients))
    finally:
        if pongs:
            pongs.cancel()
        for client in clients:
            client.close()
    times = ", ".join(f"{seconds} s: {count}" for seconds, count in sorted(closed.items()))
    outcome.notes.append(f"closed after {times or 'all'}")
    outcome.expect(EOF, RST, POLICY_VIOLATION)
    late = NON_READERS - sum(n for seconds, n in closed.items() if seconds <= MOST_SECONDS)
    if late > 0:  # the good readers come and go as well
        outcome.failures.append(f"{late} were still open after {MOST_SECONDS:g} s")
    return outcome


async def _ask(client: Client, number: int, request: dict[str, Any], streams: int) -> None:
    chunks = number // 2 % 2
    message = event("start_stream", request | {"format": "chunk" if chunks else "char"})
    try:
        # In the format char a stream replaces the one before.
        for _ in range(streams if chunks else min(streams, 3)):
            await asyncio.wait_for(client.send(message), 5.0)
    except (Ended, TimeoutError):
        return  # it is not listened to any more: that is the server's good right


async def _send_pongs(clients: list[Client]) -> None:
    while True:
        for client in clients:
            try:
                await asyncio.wait_for(client.send(frame(b"3") * 4), 0.05)
            except (Ended, TimeoutError):
                continue
        await asyncio.sleep(0.25)


async def _wait_for_closes(target: Target, before: int, began: float) -> Counter[int]:
    """Return how many connections the server closed after how many seconds.

    By its descriptors: a client that does not read does not see a close that is behind its data.
    """
    closed: Counter[int] = Counter()
    while (now := time.monotonic()) < began + LOOK_SECONDS:
        new = before + NON_READERS - target.descriptors() - closed.total()
        if new > 0:
            closed[round(now - began)] += new
        # Both: the newcomers' descriptors come and go as well.
        if closed.total() >= NON_READERS and target.descriptors() <= before:
            break
        await asyncio.sleep(0.25)
    return closed


async def upgrades(target: Target) -> Outcome:
    """Open WebSockets to upgrade polling sessions, and leave the upgrades undone.

    Half never send a probe. The others' sessions are closed by a polling client, so that the
    WebSocket belongs to nothing. None is ever used; all must be closed like a client that does not
    complete its CONNECT.
    """
    outcome = Outcome()
    clients: list[Client] = []

    async def leave_undone(number: int) -> str:
        sid = await poll_open(target.port)
        path = f"{POLLING}&sid={sid}"
        await http(target.port, "POST", path, b"40")
        clients.append(client := await Client.connect(target.port))
        await client.upgrade(f"/socket.io/?EIO=4&transport=websocket&sid={sid}")
        kind = "no probe"
        if number % 2:
            kind = "session closed"
            await client.send(frame(b"2probe"))
            await client.wait_for(b"3probe")
            await http(target.port, "POST", path, b"1")
        return f"{kind}: {await client.ending(UPGRADE_SECONDS + SLACK + 2.0)}"

    try:
        outcome.endings.update(await all_of(leave_undone(n) for n in range(UPGRADES)))
    finally:
        for client in clients:
            client.close()
    for ending, count in outcome.endings.items():
        if ending.endswith(OPEN):
            outcome.failures.append(
                f"{count} WebSockets of undone upgrades stay open ({ending.partition(':')[0]})"
            )
    return outcome
