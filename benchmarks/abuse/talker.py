"""Clients that talk: ask and wait for the answer, read a stream, poll. Over both transports."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from dataclasses import dataclass
from typing import Any, Self

from benchmarks.abuse.polling import POLLING, http, poll_open
from benchmarks.abuse.wire import PATIENCE, Client, Ended, frame

LONGEST_MESSAGE = 300
"""Characters that the sentence of an error may have."""

SEPARATOR = b"\x1e"
"""Between the packets of a POST, or of a poll's answer."""


class Talker(Client):
    """A client that answers heartbeats, so that it may stay and is sent what it asked for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._numbers = itertools.count(1)
        self._passed: list[bytes] = []

    async def receive(self) -> bytes:
        """Return the payload of the next message that is no heartbeat."""
        while (payload := await super().receive()) == b"2":
            await self.send(frame(b"3"))
        return payload

    async def ask(self, name: str, *arguments: Any, seconds: float = PATIENCE) -> dict[str, Any]:
        """Send an event and return its answer. What comes of streams before that is for `read`."""
        number = next(self._numbers)
        prefix = f"43{number}[".encode()
        async with asyncio.timeout(seconds):
            await self.send(message(name, *arguments, ack=number))
            while not (payload := await self.receive()).startswith(prefix):
                if payload.startswith(b'42["stream_'):
                    self._passed.append(payload)
        return answer_of(payload)

    async def read(self, stream_id: str, seconds: float = PATIENCE) -> Read:
        """Return what comes of a stream in chunks, up to its end."""
        hashed, units = hashlib.sha256(), 0
        passed, self._passed = self._passed[::-1], []
        async with asyncio.timeout(seconds):
            while True:
                payload = passed.pop() if passed else await self.receive()
                if not payload.startswith(b'42["stream_'):
                    continue
                name, told = json.loads(payload[2:])
                if told.get("id") != stream_id:
                    continue
                if name == "stream_chunk":
                    hashed.update(told["text"].encode())
                    units = told["next"]
                elif name == "stream_end":
                    return Read(units, hashed.hexdigest() == told["text_sha256"], told["reason"])

    async def read_all(self, ids: list[str], seconds: float = PATIENCE) -> tuple[str, list[str]]:
        """Return the text of several streams in chunks, mixed, and why each ended."""
        text: list[str] = []
        reasons: list[str] = []
        passed, self._passed = self._passed[::-1], []
        async with asyncio.timeout(seconds):
            while len(reasons) < len(ids):
                payload = passed.pop() if passed else await self.receive()
                if payload.startswith(b'42["stream_chunk"'):
                    text.append(json.loads(payload[2:])[1]["text"])
                elif payload.startswith(b'42["stream_end"'):
                    reasons.append(json.loads(payload[2:])[1]["reason"])
        return "".join(text), reasons


@dataclass(frozen=True)
class Read:
    """A stream that was read to its end: units, whether the hash is right, why it ended."""

    units: int
    exact: bool
    reason: str


class PollingTalker:
    """A polling session that polls when it is told to."""

    def __init__(self, port: int, sid: str, source: str | None = None) -> None:
        self.port = port
        self.sid = sid
        self._source = source

    @classmethod
    async def open(cls, port: int, source: str | None = None, *, connect: bool = True) -> Self:
        """Make the handshakes of Engine.IO and, where `connect`, of Socket.IO; no poll.

        Raises:
            Ended: it was refused; the ending has the HTTP status.

        """
        session = cls(port, await poll_open(port, source), source)
        if connect:
            await session.post(b"40")
        return session

    async def post(self, *packets: bytes) -> int:
        """Send packets in one POST; return the status."""
        body = SEPARATOR.join(packets)
        status, _ = await http(self.port, "POST", self._path, body, source=self._source)
        return status

    async def poll(self) -> list[bytes]:
        """Return the packets of one poll.

        Raises:
            Ended: the session is over; the ending has the HTTP status.

        """
        status, body = await http(self.port, "GET", self._path, source=self._source)
        if status != 200:
            raise Ended(f"HTTP {status}")
        return body.split(SEPARATOR)

    @property
    def _path(self) -> str:
        return f"{POLLING}&sid={self.sid}"


def packet(name: str, *arguments: Any, ack: int | str = "") -> bytes:
    """Return an event for a POST, its text as UTF-8: not six bytes for each emoji."""
    return f"42{ack}{json.dumps([name, *arguments], ensure_ascii=False)}".encode()


def message(name: str, *arguments: Any, ack: int | str = "") -> bytes:
    """Return the same as a frame."""
    return frame(packet(name, *arguments, ack=ack))


def answer_of(payload: bytes) -> dict[str, Any]:
    """Return what an acknowledgement says."""
    answer: dict[str, Any] = json.loads(payload[payload.index(b"[") :])[0]
    return answer


def code_of(answer: dict[str, Any]) -> str:
    """Return ``ok``, or the error's code; a sentence that is too long is told."""
    if answer["ok"]:
        return "ok"
    code, size = str(answer["error"]["code"]), len(answer["error"]["message"])
    return code if size <= LONGEST_MESSAGE else f"{code} in {size:,} characters"
