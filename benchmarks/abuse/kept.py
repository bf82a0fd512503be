"""Clients that fill what the server keeps of ended texts, so that others lose theirs."""

from __future__ import annotations

import asyncio
import random
import string
import time

from benchmarks.abuse.outcome import Outcome, name_of
from benchmarks.abuse.talker import Talker, code_of
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import OTHER, Ended

LITTLE_ROOM = {"TEXTSTREAM_MAX_TOTAL_BYTES": str(16 * 2**20)}
"""So that it is full soon. All other limits are as they come."""

TEXT = 480_000
CONNECTIONS = 6
EACH = 12
VICTIMS_TEXT = 3000
CRAWL_SECONDS = 6.0


async def push_out(target: Target) -> Outcome:
    """End texts of 480 kB, many times what may be kept; another address's must still be there."""
    outcome = Outcome()
    victim = await Talker.open(target.port, source=OTHER)
    text = _text(VICTIMS_TEXT, 0)
    started = await victim.ask("start_stream", {"text": text, "rate": 0, "format": "chunk"})
    stream_id = started["stream"]["id"]
    await victim.read(stream_id)
    victim.close()
    clients = await _fill(target, outcome)
    for client in clients:
        client.close()
    back = await Talker.open(target.port, source=OTHER)
    try:
        await _read_again(back, stream_id, outcome)
    finally:
        back.close()
    return outcome


async def _read_again(back: Talker, stream_id: str, outcome: Outcome) -> None:
    request = {"id": stream_id, "offset": 0, "rate": 0, "format": "chunk"}
    answer = await back.ask("resume_stream", request, seconds=5.0)
    if not answer["ok"]:
        outcome.failures.append(f"another address's ended text: {code_of(answer)}")
        return
    # The end may have come before the answer: a second reading has both.
    described = await back.ask("describe_stream", {"id": stream_id}, seconds=5.0)
    kept = described["stream"]["next"] - described["stream"]["first"]
    outcome.notes.append(f"another address's ended text: {kept} units are there")
    if kept != VICTIMS_TEXT:
        outcome.failures.append(f"of another address's text {kept} of {VICTIMS_TEXT} are there")


async def crawl(target: Target) -> Outcome:
    """Read ended texts at 0.00001 units/s, so that none can be forgotten, until all is full."""
    outcome = Outcome()
    clients = await _fill(target, outcome, crawling=True)
    try:
        began, tries, refused = time.monotonic(), 0, 0
        while time.monotonic() < began + CRAWL_SECONDS:
            other = await Talker.open(target.port, source=OTHER)
            answer = await other.ask("start_stream", {"text": _text(5000, 1), "rate": 0})
            tries += 1
            refused += not answer["ok"]
            other.close()
            await asyncio.sleep(0.5)
    finally:
        for client in clients:
            client.close()
    outcome.notes.append(f"{refused} of {tries} starts of another address were refused")
    if refused:
        outcome.failures.append(f"{refused} of {tries} starts of another address were refused")
    return outcome


async def _fill(target: Target, outcome: Outcome, *, crawling: bool = False) -> list[Talker]:
    """Start and read texts; return the clients. `crawling`: each begins all of them again."""

    async def fill(number: int) -> None:
        client = await Talker.open(target.port)
        clients.append(client)
        for turn in range(EACH):
            text = _text(TEXT, number * EACH + turn + 2)
            request = {"text": text, "rate": 0, "format": "chunk"}
            answer = await client.ask("start_stream", request)
            outcome.endings[code_of(answer)] += 1
            if not answer["ok"]:
                continue
            stream_id = answer["stream"]["id"]
            await client.read(stream_id)
            if crawling:
                again = {"id": stream_id, "offset": 0, "rate": 0.00001, "format": "chunk"}
                answer = await client.ask("resume_stream", again)
                outcome.endings["crawls" if answer["ok"] else code_of(answer)] += 1

    clients: list[Talker] = []
    results = await asyncio.gather(*map(fill, range(CONNECTIONS)), return_exceptions=True)
    for result in results:
        if isinstance(result, (Ended, OSError, TimeoutError)):
            outcome.endings[name_of(result)] += 1
        elif isinstance(result, BaseException):
            raise result
    return clients


def _text(size: int, seed: int) -> str:
    """Return letters that cannot be packed much."""
    return "".join(random.Random(seed).choices(string.ascii_letters + string.digits, k=size))
