"""The client that asks for the trips, one at a time, with rest between them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.abuse.wire import PATIENCE, Client, event
from benchmarks.trip.figures import Event, cut
from benchmarks.trip.server import ProfiledServer

TRIPS = ("start", "resume", "stop")

NEW_CHAR, STREAM_START, STREAM_END = "new_char", "stream_start", "stream_end"
STREAM_ERROR = b'42["stream_error"'

REQUEST = {"text": "Nothing is as quick as what need not be done. " * 3, "rate": 50, "unit": "char"}
"""Short enough to be moved to the log at once, long enough to be stopped before its end."""

REST = 0.3
"""Seconds after which the server has nothing left to do for what was asked before."""

AFTER = 0.05
"""Seconds that threads get to come out of what they are in, after the write."""

FRESH = 0.005
"""Seconds: a message that was waited for so long had not been here already."""


async def ask_for_all(server: ProfiledServer) -> dict[str, list[Event]]:
    """Make each trip once; return their events.

    Raises:
        RuntimeError: the server refused a stream, or a trip could not be seen.
        Ended: the server closed the connection.
        TimeoutError: it does not answer.

    """
    trips = {}
    async with _connected(server.port) as client:
        stream_id = await _start(client)  # on a connection as it is in use, not on a new one
        await _stop(client, stream_id)
        await asyncio.sleep(REST)

        async with _recorded(server, NEW_CHAR) as trip:
            stream_id = await _start(client)
        trips["start"] = trip

        await _next_character(client)
        async with _recorded(server, STREAM_END) as trip:
            await _stop(client, stream_id)
        trips["stop"] = trip

        stream_id = await _start(client)
    await asyncio.sleep(REST)  # the server learns that the connection is gone
    async with _connected(server.port) as client:
        await asyncio.sleep(REST)
        async with _recorded(server, NEW_CHAR) as trip:
            await client.send(event("resume_stream", {"id": stream_id, "offset": 1}, ack=1))
            await _wait_for(client, NEW_CHAR)
        trips["resume"] = trip
        await _stop(client, stream_id)
    await asyncio.sleep(REST)
    return {name: trips[name] for name in TRIPS}


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[Client]:
    client = await Client.open(port)
    try:
        yield client
    finally:
        client.close()


@asynccontextmanager
async def _recorded(server: ProfiledServer, awaited: str) -> AsyncIterator[list[Event]]:
    """Record what is asked for in the block; the list has the trip when it is over."""
    trip: list[Event] = []
    server.record()
    yield trip
    await asyncio.sleep(AFTER)
    trip += cut(server.recorded(), f'"{awaited}"')


async def _start(client: Client) -> str:
    """Start a stream; return its id when its first character is here."""
    await client.send(event("start_stream", REQUEST, ack=1))
    started = await _wait_for(client, STREAM_START)
    await _wait_for(client, NEW_CHAR)
    return str(json.loads(started[2:])[1]["id"])


async def _stop(client: Client, stream_id: str) -> None:
    await client.send(event("stop_stream", {"id": stream_id}, ack=1))
    await _wait_for(client, STREAM_END)


async def _next_character(client: Client) -> None:
    """Wait for a character that has just been written: the next is due in 20 ms."""
    came = 0.0
    while came < FRESH:
        asked = time.monotonic()
        await _wait_for(client, NEW_CHAR)
        came = time.monotonic() - asked


async def _wait_for(client: Client, name: str) -> bytes:
    """Return the message of the next event of that name."""
    wanted = f'42["{name}"'.encode()
    async with asyncio.timeout(PATIENCE):
        while not (message := await client.receive()).startswith(wanted):
            if message.startswith(STREAM_ERROR):
                raise RuntimeError(message.decode())
    return message
