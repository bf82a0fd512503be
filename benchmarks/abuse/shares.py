"""One address that asks for everything: connections, starts, slots, bytes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from benchmarks.abuse.memory import emoji
from benchmarks.abuse.outcome import Outcome, name_of
from benchmarks.abuse.talker import PollingTalker, Talker, code_of, packet
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import OTHER, Ended

SMALL = {
    "TEXTSTREAM_MAX_STREAMS": "400",
    "TEXTSTREAM_MAX_CONNECTIONS": "1000",
    "TEXTSTREAM_MAX_TOTAL_BYTES": str(16 * 2**20),
}
"""So that one client has all that there is within seconds. The shares are as they come."""

STREAMS = 16
"""As many as a connection may run."""

STARTS, STREAMS_OF_ADDRESS = 20, 20
LIMITED = {
    "starts": {"TEXTSTREAM_STARTS_PER_ADDRESS": f"{STARTS}/minute"},
    "streams": {"TEXTSTREAM_STREAMS_PER_ADDRESS": str(STREAMS_OF_ADDRESS)},
}
ATTACKER = "127.0.0.3"
WORKERS, POLLERS = 8, 4


async def everything(target: Target, seconds: float) -> Outcome:
    """Ask for connections, polls, starts, waiting texts and a source's threads, all the time."""
    outcome = Outcome()
    until = time.monotonic() + seconds
    clients: list[Talker] = []
    long, waiting = emoji(1), {"source": "deaf", "format": "chunk"}
    asked = (
        {"text": "x" * 100, "rate": 0.001, "format": "chunk"},
        waiting,
        {"text": long, "rate": 0.001, "format": "chunk"},
        {"text": "y" * 2000, "rate": 0, "format": "chunk"},
    )

    async def connect() -> None:
        while time.monotonic() < until:
            try:
                clients.append(client := await Talker.open(target.port))
                for number in range(STREAMS):
                    answer = await client.ask("start_stream", asked[number % len(asked)])
                    outcome.endings[code_of(answer)] += 1
                    if time.monotonic() > until:
                        break
            except (Ended, OSError, TimeoutError) as error:
                outcome.endings[name_of(error)] += 1
                await asyncio.sleep(0.05)

    async def poll() -> None:
        start = packet("start_stream", asked[3])
        while time.monotonic() < until:
            try:
                session = await PollingTalker.open(target.port)
                await session.post(*[start] * STREAMS)
            except (Ended, OSError, TimeoutError) as error:
                outcome.endings[f"poll: {name_of(error)}"] += 1
                await asyncio.sleep(0.05)

    try:
        await asyncio.gather(
            *(connect() for _ in range(WORKERS)), *(poll() for _ in range(POLLERS))
        )
    finally:
        for client in clients:
            client.close()
    outcome.notes.append(f"{len(clients)} connections")
    return outcome


async def orphans(target: Target, seconds: float) -> Outcome:
    """Start 16 streams, hang up, and come again: they go on for their time of grace."""
    outcome = Outcome()
    until = time.monotonic() + seconds
    asked = {"text": "x" * 100, "rate": 0.001, "format": "chunk"}

    async def come_again() -> None:
        while time.monotonic() < until:
            client = None
            try:
                client = await Talker.open(target.port)
                for _ in range(STREAMS):
                    outcome.endings[code_of(await client.ask("start_stream", asked))] += 1
            except (Ended, OSError, TimeoutError) as error:
                outcome.endings[name_of(error)] += 1
                await asyncio.sleep(0.05)
            finally:
                if client:
                    client.close()

    await asyncio.gather(*(come_again() for _ in range(4)))
    return outcome


async def starts(target: Target) -> Outcome:
    """Start more streams a minute than an address may, on three connections and a poll."""
    outcome = Outcome()
    errors = await _start_many(target, outcome, {"text": "a", "rate": 0, "format": "chunk"}, 60)
    await _judge(outcome, errors, STARTS, "rate_limited")
    waits = [error.get("retry_after") for error in errors]
    if not all(isinstance(wait, (int, float)) and 0 < wait <= 61 for wait in waits):
        outcome.failures.append(
            f"retry_after is not within a minute: {sorted(map(str, waits))[:2]}"
        )
    await _other_may_start(target, outcome)
    return outcome


async def streams(target: Target) -> Outcome:
    """Run more streams than an address may, hang up, and try again from a new connection."""
    outcome = Outcome()
    asked = {"text": "a" * 100, "rate": 0.001, "format": "chunk"}
    errors = await _start_many(target, outcome, asked, 40)
    await _judge(outcome, errors, STREAMS_OF_ADDRESS, "too_many_streams")
    again: Outcome = Outcome()
    await _start_many(target, again, asked, 5)
    outcome.notes.append(f"after hanging up: {dict(again.endings)}")
    if again.endings["ok"]:
        outcome.failures.append("streams in their time of grace do not count")
    await _other_may_start(target, outcome)
    return outcome


async def _start_many(
    target: Target, outcome: Outcome, asked: dict[str, object], count: int
) -> list[dict[str, object]]:
    """Start so many from one address, on connections with room for them; return the errors."""
    errors = []
    clients = [await Talker.open(target.port, source=ATTACKER) for _ in range(count // 14 + 1)]
    try:
        for number in range(count):
            client = clients[number % len(clients)]
            answer = await client.ask("start_stream", asked)
            outcome.endings[code_of(answer)] += 1
            if not answer["ok"]:
                errors.append(answer["error"])
    finally:
        for client in clients:
            client.close()
    return errors


async def _judge(
    outcome: Outcome, errors: list[dict[str, object]], allowed: int, code: str
) -> None:
    outcome.expect("ok", code)
    if outcome.endings["ok"] > allowed:
        outcome.failures.append(f"{outcome.endings['ok']} were taken, not {allowed}")
    scopes = Counter(str(error.get("scope")) for error in errors)
    if set(scopes) != {"address"}:
        outcome.failures.append(f"the scope is {dict(scopes) or 'never told'}, not address")


async def _other_may_start(target: Target, outcome: Outcome) -> None:
    other = await Talker.open(target.port, source=OTHER)
    try:
        if (code := code_of(await other.ask("start_stream", {"text": "b"}))) != "ok":
            outcome.failures.append(f"another address's start: {code}")
    finally:
        other.close()
