"""Clients that make the server keep much over WebSockets, and take none of it."""

from __future__ import annotations

import asyncio
import random
import time

from benchmarks.abuse.attacks import SLACK
from benchmarks.abuse.outcome import MEGABYTE, Outcome, name_of
from benchmarks.abuse.talker import Talker, answer_of, code_of, message
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import BINARY, CONTINUATION, FIN, OPEN, TEXT, Client, Ended, frame

LONGEST_TEXT = 500_000
"""Characters: as long as a text may be."""

STREAMS = 160
FIRST_EMOJI = 0x1F300
HOLD_SECONDS = 3.0

MESSAGES = 64
MOST_UNFINISHED = 1_900_000
"""Bytes: a little less than what a message may have."""

UNFINISHED = 50
UNFINISHED_SECONDS = 30.0
FRAGMENT = 60_000

EVENTS_WITH_ATTACHMENTS = 20
ATTACHMENT = 2_000_000
ATTACHMENTS = 4
"""As many as an event may have: one of them never comes."""


def emoji(kinds: int, seed: int = 1) -> str:
    """Return a text of emoji, as long as one may be: four bytes each, of so many kinds."""
    if kinds == 1:
        return chr(FIRST_EMOJI) * LONGEST_TEXT
    choices = [chr(FIRST_EMOJI + number) for number in range(kinds)]
    return "".join(random.Random(seed).choices(choices, k=LONGEST_TEXT))


async def waiting_texts(
    target: Target, kinds: int, connections: int, unit: str, streams: int = STREAMS
) -> Outcome:
    """Start texts of 500,000 emoji that hardly move, and keep them."""
    outcome = Outcome()
    text = emoji(kinds)
    each = streams // connections

    async def start(number: int) -> None:
        client = await Talker.open(target.port)
        clients.append(client)
        for turn in range(each):
            place = number * each + turn  # no two texts are the same
            asked = {"text": text[place:] + text[:place], "unit": unit, "rate": 0.001}
            answer = await client.ask("start_stream", asked | {"format": "chunk"}, seconds=60.0)
            outcome.endings[code_of(answer)] += 1

    clients: list[Talker] = []
    try:
        results = await asyncio.gather(*map(start, range(connections)), return_exceptions=True)
        outcome.endings.update(name_of(r) for r in results if isinstance(r, BaseException))
        await asyncio.sleep(HOLD_SECONDS)
    finally:
        for client in clients:
            client.close()
    if not outcome.endings["ok"]:
        outcome.failures.append("not even the first text was taken")
    return outcome


async def unanswered(target: Target, connections: int) -> Outcome:
    """Send 64 messages of 2 MB on each connection at once, and read no answer meanwhile."""
    outcome = Outcome()
    start = message(
        "start_stream",
        {"text": emoji(1000), "rate": 0.001, "format": "chunk"},
        ack=1,
    )
    nonsense = message("no_such_event", "a" * 2 * MEGABYTE, ack=2)
    clients = [await Talker.open(target.port) for _ in range(connections)]

    async def send(client: Talker) -> None:
        for number in range(MESSAGES):
            await client.send(nonsense if number % 2 else start)

    async def answers(client: Talker) -> None:
        try:
            async with asyncio.timeout(20.0):
                left = MESSAGES
                while left:
                    payload = await client.receive()
                    if payload.startswith(b"43"):
                        outcome.endings[code_of(answer_of(payload))] += 1
                        left -= 1
        except (Ended, TimeoutError) as error:
            outcome.endings[f"closed {error.ending}" if isinstance(error, Ended) else OPEN] += 1

    try:
        sending = [asyncio.create_task(send(client)) for client in clients]
        await asyncio.wait(sending, timeout=10.0)
        await asyncio.sleep(1.0)
        await asyncio.gather(*map(answers, clients))
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
    finally:
        for client in clients:
            client.close()
    if not outcome.endings["ok"]:
        outcome.failures.append("not even the first message was answered")
    return outcome


async def unfinished(target: Target) -> Outcome:
    """Leave messages of 1.9 MB without their ends on 50 connections; some go on byte by byte."""
    outcome = Outcome()
    late: list[float] = []
    most = UNFINISHED_SECONDS + SLACK + 2.0

    async def leave(number: int) -> None:
        client = await Client.open(target.port)
        clients.append(client)
        began = time.monotonic()
        sending = asyncio.create_task(_leave_unfinished(client, trickle=number % 5 == 0))
        ending = await client.ending(most + 1.0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        outcome.endings[ending] += 1
        if time.monotonic() - began > most:
            late.append(time.monotonic() - began)

    clients: list[Client] = []
    try:
        results = await asyncio.gather(*map(leave, range(UNFINISHED)), return_exceptions=True)
        outcome.endings.update(name_of(r) for r in results if isinstance(r, BaseException))
    finally:
        for client in clients:
            client.close()
    if late:
        outcome.failures.append(f"{len(late)} messages stay unfinished for {most:.0f} s and more")
    return outcome


async def _leave_unfinished(client: Client, *, trickle: bool) -> None:
    """Send a message's beginning: nearly all that it may have, or a little every second."""
    sent = 0
    try:
        while sent < MOST_UNFINISHED:
            size = 1 if trickle and sent else FRAGMENT
            await client.send(frame(b"a" * size, CONTINUATION if sent else TEXT))
            sent += size
            await asyncio.sleep(1.0 if trickle else 0.0)
    except Ended:
        return


async def attachments(target: Target) -> Outcome:
    """Announce events with four attachments of 2 MB, and never send the last of them."""
    outcome = Outcome()
    holders = ",".join(f'{{"_placeholder":true,"num":{n}}}' for n in range(ATTACHMENTS))
    head = frame(f'45{ATTACHMENTS}-["start_stream",{holders}]'.encode())
    part = frame(bytes(ATTACHMENT), FIN | BINARY)

    async def announce() -> None:
        clients.append(client := await Client.open(target.port))
        ending = asyncio.create_task(client.ending(HOLD_SECONDS + 5.0))
        try:
            async with asyncio.timeout(5.0):
                await client.send(head + part * (ATTACHMENTS - 1))
        except (Ended, TimeoutError):
            pass
        outcome.endings[await ending] += 1

    clients: list[Client] = []
    try:
        await asyncio.gather(*(announce() for _ in range(EVENTS_WITH_ATTACHMENTS)))
    finally:
        for client in clients:
            client.close()
    return outcome
