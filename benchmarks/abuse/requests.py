"""Requests that cost much to understand: many keys, depth, long names, large values."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from benchmarks.abuse.outcome import Outcome, name_of
from benchmarks.abuse.talker import Talker, answer_of, code_of
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import Ended, frame

LARGE = 1_700_000
"""Bytes of a request, about."""

AT_ONCE = 12
ANSWER_SECONDS = 60.0


def unknown_keys() -> list[bytes]:
    """Return requests whose 190,000 keys are unknown, in different places."""
    keys = ",".join(f'"{number:x}":1' for number in range(190_000))
    return [
        f'["start_stream",{{{keys}}}]'.encode(),
        f'["start_stream",{{"params":{{{keys}}}}}]'.encode(),
        f'["describe_stream",{{"id":"a",{keys}}}]'.encode(),
    ]


def deep() -> list[bytes]:
    """Return requests that are 100,000s of levels deep, and some that are just deep enough."""
    far = LARGE // 12
    return [
        b'["start_stream",' + b'{"a":' * far + b"1" + b"}" * far + b"]",
        b'["start_stream",' + b"[" * far + b"]" * far + b"]",
        b'["start_stream",{"params":' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"}]",
        b'["set_rate",{"id":' + b"[" * 300 + b"]" * 300 + b"}]",
    ]


def long_names() -> list[bytes]:
    """Return requests with names of up to 1.7 MB: of a key, an event, a source, an id."""
    name = b"n" * LARGE
    return [
        b'["start_stream",{"' + name + b'":1}]',
        b'["' + name + b'",{}]',
        b'["start_stream",{"source":"' + name + b'"}]',
        b'["start_stream",{"request_id":"' + name + b'"}]',
        b'["describe_stream",{"id":"' + name[:60_000] + b'"}]',
        b'["start_stream",{"params":{"' + name[:60_000] + b'":1}}]',
    ]


def large_lists() -> list[bytes]:
    """Return requests whose values are lists of hundreds of thousands."""
    ones = b"1," * (LARGE // 2) + b"1"
    objects = b"{}," * (LARGE // 3) + b"{}"
    return [
        b'["start_stream",{"text":[' + ones + b"]}]",
        b'["start_stream",' + ones + b"]",
        b'["start_stream",{"params":{"stop":[' + objects + b"]}}]",
        b'["stop_stream",{"id":[' + objects + b"]}]",
    ]


def large_params() -> list[bytes]:
    """Return requests with params of 60 kB: under every limit of a message."""
    params = ",".join(f'"parameter {number}":"{"v" * 20}"' for number in range(1400))
    return [f'["start_stream",{{"text":"a","params":{{{params}}}}}]'.encode()] * 40


async def at_once(
    target: Target, made: Callable[[], list[bytes]], connections: int = AT_ONCE
) -> Outcome:
    """Send requests that cost much to understand on some connections at once."""
    outcome = Outcome()
    messages = made()
    longest = 0

    async def ask(client: Talker, number: int) -> None:
        nonlocal longest
        try:
            for turn in range(max(1, len(messages) // connections)):
                request = messages[(number + turn) % len(messages)]
                await client.send(frame(b"421" + request))
                payload = await client.wait_for(b"431[", ANSWER_SECONDS)
                longest = max(longest, len(payload))
                outcome.endings[code_of(answer_of(payload))] += 1
        except (Ended, TimeoutError) as error:
            outcome.endings[name_of(error)] += 1

    clients = [await Talker.open(target.port) for _ in range(connections)]
    try:
        await asyncio.gather(*(ask(client, number) for number, client in enumerate(clients)))
    finally:
        for client in clients:
            client.close()
    outcome.notes.append(f"longest answer {longest:,} bytes")
    if outcome.endings["ok"]:
        outcome.failures.append(f"{outcome.endings['ok']} were taken")
    return outcome
