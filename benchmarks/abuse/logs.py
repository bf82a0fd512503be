"""What clients get into the log, into others' streams, and before others' eyes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from urllib.parse import quote

from benchmarks.abuse.outcome import Outcome, name_of
from benchmarks.abuse.records import records_wrong
from benchmarks.abuse.talker import Talker, code_of, message
from benchmarks.abuse.target import Target
from benchmarks.abuse.user_sources import NOBODY, SECRET
from benchmarks.abuse.wire import OTHER, WEBSOCKET, Client, Ended, frame

ORIGINS = {"TEXTSTREAM_CORS_ORIGINS": "https://app.example.org", "TEXTSTREAM_LOG_LEVEL": "info"}
FEW_THREADS = {"TEXTSTREAM_PRODUCERS": "4", "TEXTSTREAM_LOOKAHEAD": "8"}
"""So that generators of different clients share threads, and are held and moved."""

JSON = {**ORIGINS, "TEXTSTREAM_LOG_FORMAT": "json"}

EVIL = "\x1b[31mEVIL\r\n2026-01-01 INFO FORGED\x9b0m\u2028\u2029\x85\x07\x0b\x0c\x7f"
"""Colours, a line of its own, and what else some reader of logs takes for a line's end."""

WORKERS = 16

ADVERTISEMENT = "bought watches " * 50
"""As long as the lab lets anybody send to others, or nearly so."""


async def lines(target: Target) -> Outcome:
    """Put line ends, escapes and names of one's own wherever a server might log them."""
    outcome = Outcome()
    before = len(target.log())
    ids = await provoke(target, outcome)
    log = target.log()[before:].decode("utf-8", "replace")
    outcome.notes.append(f"{log.count(chr(10))} lines in the log")
    outcome.failures += judge(log, ids)
    return outcome


async def provoke(target: Target, outcome: Outcome) -> list[str]:
    """Send what might be logged; return the ids of the streams that were started."""
    await _requests(target, outcome)
    ids = await _events(target, outcome)
    await asyncio.sleep(0.5)  # for what is still to be logged
    return ids


def judge(log: str, ids: Iterable[str]) -> list[str]:
    """Return what is wrong with a log: more lines than records, or secrets."""
    wrong = records_wrong(log)
    if any(stream_id in log for stream_id in ids):
        wrong.append("a stream's id is in the log, in clear")
    if SECRET in log:
        wrong.append("a prompt is in the log")
    return wrong


async def _requests(target: Target, outcome: Outcome) -> None:
    evil, quoted = EVIL.replace("\r\n", " "), quote(EVIL)
    polling = "/socket.io/?EIO=4&transport=polling"
    for line, header in (
        (f"GET {polling}", f"Origin: http://{evil}"),
        (f"GET /socket.io/?EIO=4&transport=pol{quoted}", "X: y"),
        (f"GET {polling}&sid={quoted}", "X: y"),
        (f"GET /socket.io/?EIO=3{quoted}&transport=polling", "X: y"),
        (f"GET /{quoted}", f"User-Agent: {evil}"),
        (f"GET /app/{evil}", f"Referer: {evil}"),
        (f"G{evil}T /", "X: y"),
        ("GET /api/connection", f"X-Forwarded-For: {evil}\r\nHost: {evil}"),
        ("GET " + WEBSOCKET, f"Upgrade: websocket\r\nSec-WebSocket-Key: {evil}"),
        (f"POST {polling}&sid={quoted}", "Content-Length: 1"),
    ):
        client = await Client.connect(target.port)
        try:
            data = f"{line} HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n"
            await client.send(data.encode("utf-8"))
            async with asyncio.timeout(2.0):
                head = await client.take_head()
            outcome.endings[f"HTTP {head.split(' ', 2)[1]}"] += 1
        except (Ended, TimeoutError) as error:
            outcome.endings[name_of(error)] += 1
        finally:
            client.close()


async def _events(target: Target, outcome: Outcome) -> list[str]:
    """Send events with names that get logged; return the ids of the streams that were started."""
    ids = []
    client = await Talker.open(target.port)
    prompt = f"the password is {SECRET}\n{EVIL}"
    try:
        for asked in (
            {"source": EVIL},
            {"text": "a", "request_id": EVIL},
            {"text": "a", "params": {EVIL: 1}},
            {EVIL: 1},
            {"source": "failing", "prompt": prompt, "format": "chunk"},
            {"text": "a", "rate": 0, "format": "chunk"},
            {"text": "a" * 50, "rate": 0, "format": "chunk", "request_id": "r" + EVIL * 3},
        ):
            answer = await client.ask("start_stream", asked)
            outcome.endings[code_of(answer)] += 1
            if answer["ok"]:
                ids.append(answer["stream"]["id"])
                await client.read(ids[-1])
        await client.send(message(EVIL, EVIL) + message("stop_stream", {"id": EVIL}))
        for packet in (f"40/{EVIL},", f"42/{EVIL},[1]", f"49{EVIL}", f'42["x{EVIL}'):
            other = await Talker.open(target.port)
            await other.send(frame(packet.encode()))
            outcome.endings[f"a bad packet: {await other.ending(1.0)}"] += 1
            other.close()
    finally:
        client.close()
    return ids


async def contexts(target: Target) -> Outcome:
    """Run sources that look whose request it is, of 16 clients with names, on four threads."""
    outcome = Outcome()

    async def look(number: int) -> None:
        name = f"client-{number}"
        client = await Talker.open(target.port, headers=f"X-Who: {name}\r\n")
        try:
            asked = {"source": "looking", "prompt": name, "format": "chunk", "unit": "word"}
            ids = []
            for rate in (0, 90, 60):  # paced ones are held, and go on on whatever thread
                answer = await client.ask("start_stream", asked | {"rate": rate})
                if not answer["ok"]:
                    raise Ended(code_of(answer))
                ids.append(answer["stream"]["id"])
            seen, reasons = await client.read_all(ids)
            outcome.endings.update(reasons)
        finally:
            client.close()
        if others := set(seen.split()) - {name, NOBODY}:
            outcome.failures.append(f"a source of {name} has seen {', '.join(sorted(others))}")

    results = await asyncio.gather(*map(look, range(WORKERS)), return_exceptions=True)
    outcome.endings.update(name_of(r) for r in results if isinstance(r, BaseException))
    outcome.expect("completed")
    outcome.failures = outcome.failures[:5]
    return outcome


async def megaphone(target: Target) -> Outcome:
    """Send to everybody in the lab; nobody of another address may get it, a neighbour does."""
    outcome = Outcome()
    sender = await Talker.open(target.port)
    neighbour = await Talker.open(target.port)
    stranger = await Talker.open(target.port, source=OTHER)
    try:
        sids = []
        for client in (sender, neighbour, stranger):
            await client.send(frame(b"40/test,"))
            sids.append(json.loads((await client.wait_for(b"40/test,"))[8:])["sid"])
        for name, more in (
            ("my_broadcast_event", {}),
            ("my_room_event", {"room": sids[2]}),
            ("my_room_event", {"room": "a room"}),
        ):
            await stranger.send(frame(b'42/test,["join",{"room":"a room"}]'))
            data = json.dumps([name, {"data": ADVERTISEMENT, **more}])
            await sender.send(frame(f"42/test,{data}".encode()))
        heard = await asyncio.gather(_heard(neighbour), _heard(stranger))
        for who, got in zip(("a neighbour", "a stranger"), heard, strict=True):
            outcome.endings[who] += got
            if who == "a stranger" and got:
                outcome.failures.append(f"another address got {got} messages, unasked")
            if who == "a neighbour" and not got:
                outcome.failures.append("the sender's own address gets nothing")
    finally:
        for client in (sender, neighbour, stranger):
            client.close()
    return outcome


async def _heard(client: Client) -> int:
    """Return how many messages of the sender come within a second and a half."""
    heard = 0
    try:
        async with asyncio.timeout(1.5):
            while True:
                heard += b"bought watches" in await client.receive()
    except (TimeoutError, Ended):
        return heard
