"""Connections that do nothing, more than the server has descriptors for."""

from __future__ import annotations

import asyncio
import time

from benchmarks.abuse.newcomers import first_character
from benchmarks.abuse.outcome import Outcome, name_of
from benchmarks.abuse.talker import Talker, code_of
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import OTHER, Client, Ended

FILES = 256
ROOM = 4096
CONNECTIONS = 300
HOLD_SECONDS = 6.0
MOST_CPU = 0.30
"""Of one core: a full table of descriptors must not keep the server busy."""

BACK_SECONDS = 5.0


async def silent(target: Target, *, websockets: bool) -> Outcome:
    """Open 300 connections to a server of 256 files: it must not spin, and serve who is in."""
    outcome = Outcome()
    inside = await Talker.open(target.port, source=OTHER)
    clients: list[Client] = []
    kind = Talker if websockets else Client

    async def come() -> None:
        try:
            async with asyncio.timeout(3.0):
                open_one = kind.open if websockets else kind.connect
                clients.append(await open_one(target.port))
            outcome.endings["in"] += 1
        except (Ended, OSError, TimeoutError) as error:
            outcome.endings["no answer" if isinstance(error, TimeoutError) else name_of(error)] += 1

    try:
        for _ in range(0, CONNECTIONS, 20):
            await asyncio.gather(*(come() for _ in range(20)))
        files, before, began = target.descriptors(), target.cpu(), time.monotonic()
        await _is_served(inside, outcome, until=began + HOLD_SECONDS)
        used = (target.cpu() - before) / (time.monotonic() - began)
    finally:
        inside.close()
        for client in clients:
            client.close()
    outcome.notes.append(f"{files} descriptors, CPU {used:.0%}")
    if used > MOST_CPU:
        outcome.failures.append(f"CPU {used:.0%} while nobody does anything")
    await _is_back(target, outcome)
    return outcome


async def _is_served(inside: Talker, outcome: Outcome, until: float) -> None:
    """Let somebody who is in ask, and start, all the time."""
    worst = 0.0
    try:
        while time.monotonic() < until:
            began = time.monotonic()
            answer = await inside.ask("start_stream", {"text": "a", "rate": 0}, seconds=5.0)
            worst = max(worst, time.monotonic() - began)
            if not answer["ok"]:
                outcome.failures.append(f"who is in: {code_of(answer)}")
                return
            await asyncio.sleep(0.25)
    except (Ended, TimeoutError) as error:
        outcome.failures.append(f"who is in: {name_of(error)}")
        return
    outcome.notes.append(f"who is in is answered after {worst * 1000:.0f} ms at worst")
    if worst > 1.0:
        outcome.failures.append(f"who is in is answered after {worst:.1f} s")


async def _is_back(target: Target, outcome: Outcome) -> None:
    """Come anew, now that there are descriptors again."""
    began = time.monotonic()
    while (last := await _come_in(target)) and time.monotonic() < began + BACK_SECONDS:
        await asyncio.sleep(0.1)
    if last:
        outcome.failures.append(f"{BACK_SECONDS:g} s after it, new clients are not served: {last}")
    else:
        outcome.notes.append(f"new ones are served after {time.monotonic() - began:.1f} s")


async def _come_in(target: Target) -> str | None:
    """Return how a new client was turned away; None: it was served."""
    try:
        async with asyncio.timeout(2.0):
            await first_character(target.port)
    except (Ended, OSError, TimeoutError) as error:
        return name_of(error)
    return None
