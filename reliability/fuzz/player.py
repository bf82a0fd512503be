"""Sends inputs to a server, one after the other, and says how each was answered."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from dataclasses import dataclass

from benchmarks.abuse.polling import http, poll_open
from benchmarks.abuse.wire import EOF, RECEIVE, RST, WEBSOCKET, Client, Ended, event, frame
from reliability.fuzz import answers
from reliability.fuzz.inputs import SID, STREAM, End, Input, Layer, Start, Write

POLLING = "/socket.io/?EIO=4&transport=polling"

SERVED = 40
"""Inputs after which a connection is not used again: what led to a failure can be replayed."""

PATIENCE = 20.0
"""Seconds for any answer. A poll that waits for nothing is answered by a ping before that."""

BARRIER, ALIVE = frame(b"40/barrier,"), b'44/barrier,{"message":"Invalid namespace"}'
"""A CONNECT to a namespace that nobody serves: answered in order, as often as it is sent."""


@dataclass
class Kept:
    """A connection that is used again: its client, its stream, what it has served."""

    client: Client
    stream: bytes
    served: list[int]


class Player:
    """One attacker. Not to be shared by tasks."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._kept: Kept | None = None

    @property
    def before(self) -> list[int]:
        """The numbers of the inputs that the connection has served."""
        return list(self._kept.served) if self._kept else []

    async def play(self, entry: Input) -> str:
        """Send an input; return how it was answered. Raises nothing, whatever the server does."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._play(entry)
        except TimeoutError:
            self.close()
            return answers.NO_ANSWER
        except Ended as ended:
            self.close()
            return answers.of_ending(ended)
        except OSError as error:
            self.close()
            return type(error).__name__

    def close(self) -> None:
        """Let go of the connection."""
        if self._kept:
            self._kept.client.close()
            self._kept = None

    async def _play(self, entry: Input) -> str:
        if entry.start is Start.TCP:
            return await self._exchange(entry.data, entry.end)
        if entry.start is Start.POLLING:
            return await self._poll(entry)
        if entry.start is Start.CONNECTED and entry.end is End.BARRIER:
            return await self._again(entry)
        stream = b""
        client = await Client.connect(self._port)
        try:
            if entry.start is Start.PROBING:
                sid = await poll_open(self._port)
                await client.upgrade(f"{WEBSOCKET}&sid={sid}")
            else:
                await client.upgrade()
                await client.take_open()
            if entry.start is Start.CONNECTED:
                stream = await _connect(client, entry)
            return await _converse(client, entry, stream)
        finally:
            client.close()

    async def _again(self, entry: Input) -> str:
        """Use the connection that the last input left well, or a new one."""
        kept = self._kept or await self._open(entry)
        kept.served.append(entry.number)
        answer, alive = await _converse_on(kept.client, entry, kept.stream)
        if not alive or len(kept.served) >= SERVED:
            self.close()
        return answer

    async def _open(self, entry: Input) -> Kept:
        client = await Client.connect(self._port)
        self._kept = Kept(client, b"", [])
        await client.upgrade()
        await client.take_open()
        self._kept.stream = await _connect(client, entry)
        return self._kept

    async def _exchange(self, data: bytes, end: End = End.HALF_CLOSE) -> str:
        """Send bytes on a TCP connection of their own; return what came, up to its end."""
        client = await Client.connect(self._port)
        try:
            return answers.of_http(await _send_and_read(client, data, end))
        except ConnectionError:
            return RST
        finally:
            client.close()

    async def _poll(self, entry: Input) -> str:
        sid = (await poll_open(self._port)).encode()
        got, waiting = [], []
        for write in entry.writes:
            data = write.data.replace(SID, sid)
            if write.side:
                client = await Client.connect(self._port)
                waiting.append((client, asyncio.create_task(_send_and_read(client, data))))
                await asyncio.sleep(0)
            else:
                got.append(await self._exchange(data))
        if entry.end is End.RESET:
            await asyncio.sleep(0.01)  # for the poll to get there
            for client, task in waiting:
                task.cancel()
                client.reset()
            return answers.NOT_WAITED_FOR
        try:
            await http(self._port, "POST", f"{POLLING}&sid={sid.decode()}", b"1")
            for _client, task in waiting:
                try:
                    got.append(answers.of_http(await task))
                except ConnectionError:
                    got.append(RST)
        finally:
            for client, task in waiting:
                task.cancel()
                client.close()
        return answers.most_telling(got)


async def _connect(client: Client, entry: Input) -> bytes:
    """CONNECT, and start a stream if inputs of the layer may name it; return its id."""
    await client.send(frame(b"40"))
    await client.wait_for(b"40")
    if entry.layer is not Layer.SOCKETIO:
        return b""
    request = {"text": "to be attacked " * 200, "rate": 20, "format": "chunk"}
    await client.send(event("start_stream", request, ack=0))
    answer = json.loads((await client.wait_for(b"430["))[3:])[0]
    if not answer["ok"]:
        raise Ended(f"error {answer['error']['code']}")
    return str(answer["stream"]["id"]).encode()


async def _converse(client: Client, entry: Input, stream: bytes) -> str:
    """Send an input after which the connection is not used again."""
    if entry.end in {End.BARRIER, End.LAST}:
        return (await _converse_on(client, entry, stream))[0]
    with contextlib.suppress(Ended):  # what the server had to say of it can still be read
        await _write(client, entry.writes, stream)
    if entry.end is End.RESET:
        client.reset()
    if entry.end is not End.HALF_CLOSE:
        return answers.NOT_WAITED_FOR
    with contextlib.suppress(OSError):
        client.sock.shutdown(socket.SHUT_WR)
    return (await _listen(client, until=None))[0]


async def _converse_on(client: Client, entry: Input, stream: bytes) -> tuple[str, bool]:
    """Return the answer too, and whether the connection lives."""
    last = entry.end is End.LAST
    with contextlib.suppress(Ended):
        await _write(client, entry.writes, stream)
        await client.send(frame(b"1") if last else BARRIER)
    return await _listen(client, until=None if last else ALIVE)


async def _write(client: Client, writes: tuple[Write, ...], stream: bytes) -> None:
    for write in writes:
        await client.send(write.data.replace(STREAM, stream or STREAM))


async def _listen(client: Client, until: bytes | None) -> tuple[str, bool]:
    """Read up to a message, or to the end; return the answer, and whether there was no end."""
    got = []
    try:
        while (payload := await client.receive()) != until:
            if payload == b"2":
                with contextlib.suppress(Ended):
                    await client.send(frame(b"3"))
            elif answer := answers.of_socketio(payload):
                got.append(answer)
    except Ended as ended:
        if ended.ending not in {EOF, RST, "1000"} or not got:
            got.append(answers.of_ending(ended))
        return answers.most_telling(got), False
    return answers.most_telling(got), True


async def _send_and_read(client: Client, data: bytes, end: End = End.HALF_CLOSE) -> bytes | None:
    """Send; return all that comes up to the end of the connection. None: that was not read."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):  # it has answered before it read all of it
        await loop.sock_sendall(client.sock, data)
        if end is End.RESET:
            client.reset()
        if end is not End.HALF_CLOSE:
            return None
        client.sock.shutdown(socket.SHUT_WR)
    received = bytearray()
    try:
        while more := await loop.sock_recv(client.sock, RECEIVE):
            received += more
    except ConnectionError:
        if not received:
            raise
    return bytes(received)
