"""A generator process: connects its readers, starts their streams, watches a window of time.

It does one thing after the other, as it is told through its pipe: ``connect``, ``start``,
``open_window``, ``close_window``.
"""

from __future__ import annotations

import asyncio
import gc
import time
from array import array
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

import numpy as np
import uvloop
from picows import WSTransport, ws_connect

from benchmarks.crowd.frames import packet
from benchmarks.load.messages import CATCHING_UP, Connected, Job, Report, Started
from benchmarks.load.reader import CheckingReader, Observations, PacedReader, Reader

HANDSHAKES = 64
"""Handshakes at a time, less than any server's listen queue."""

STALLED = 8.0
"""Seconds without a connection after which no more are tried."""

FIRST_CHARACTER_SECONDS = 10.0
"""How long the first characters are waited for, after the last start."""

CATCH_UP_SECONDS = 15
"""How long a server may take to pay back what it owes."""

PATIENCE = 1.0
"""Seconds that a ping may take to be answered; those sent later do not count."""

PINGED = 20
"""Readers that send a WebSocket ping every second, to see whether the server still answers."""


CHECKED = 1000
"""Readers that compare every character. With many more that would be what limits the servers."""


class Generator:
    """The readers of one process."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.seen = Observations()
        self.readers: list[Reader] = []
        self.paced = job.kind != "idle" and job.rate > 0
        self._checking: list[CheckingReader] = []
        self._marks: list[int] = []
        self._opened = self._cpu = 0.0
        self._task: asyncio.Task[None] | None = None

    def _new_reader(self) -> Reader:
        if not self.paced:
            return Reader(self.seen)
        if len(self._checking) < CHECKED:
            self._checking.append(CheckingReader(self.seen, self.job.text))
            return self._checking[-1]
        return PacedReader(self.seen)

    async def _connect_one(self, timeout: float) -> Reader:
        made: list[Reader] = []

        def factory() -> Reader:
            made.append(self._new_reader())
            return made[0]

        url = f"ws://127.0.0.1:{self.job.port}/socket.io/?EIO=4&transport=websocket"
        transport: WSTransport | None = None
        source: dict[str, Any] = {}
        if self.job.source:
            source["local_addr"] = (self.job.source, 0)
        try:
            async with asyncio.timeout(timeout):
                transport, _ = await ws_connect(
                    factory, url, websocket_handshake_timeout=timeout, **source
                )
                await made[0].ready
        except BaseException:
            for reader in made:
                reader.ready.cancel()
            if transport is not None:
                transport.disconnect(graceful=False)
            raise
        return made[0]

    async def connect(self) -> Connected:
        """Connect all readers, or as many as the server takes."""
        started = latest = perf_counter()
        waiting = self.job.readers
        deadline = started + self.job.connect_seconds

        async def work() -> None:
            nonlocal waiting, latest
            while waiting:
                left = min(deadline, latest + STALLED) - perf_counter()
                if left <= 0:
                    return
                waiting -= 1
                try:
                    self.readers.append(await self._connect_one(min(left, STALLED)))
                except Exception as error:  # noqa: BLE001 (whatever it was, it is counted)
                    self.seen.errors[f"connect: {type(error).__name__}"] += 1
                else:
                    latest = perf_counter()

        await asyncio.gather(*(work() for _ in range(min(HANDSHAKES, self.job.readers))))
        gc.collect()
        gc.freeze()
        gc.disable()
        return Connected(len(self.readers), latest - started)

    async def start(self) -> Started:
        """Start the streams and wait for their first characters, or start nothing."""
        if self.job.kind == "broadcast" and self.job.dialect == "peer":
            await self._start_broadcast()
        elif self.job.kind == "broadcast":
            stream_id = await self._start_shared_stream()
            await self._start_spread(
                packet("resume_stream", {"id": stream_id, "offset": 0, "format": "char"})
            )
        elif self.job.kind == "stream":
            await self._start_spread(
                packet("start_stream", {"text": self.job.text, "rate": self.job.rate})
            )
        if self.job.kind != "idle":
            deadline = perf_counter() + FIRST_CHARACTER_SECONDS
            while perf_counter() < deadline and not all(reader.count for reader in self.readers):
                await asyncio.sleep(0.05)
            await self._wait_for_pace()
        self._task = asyncio.create_task(self._ping_every_second())
        return Started(sum(1 for reader in self.readers if reader.count))

    async def _wait_for_pace(self) -> None:
        """Wait until no reader's characters come faster than its pace, but not forever."""
        due_each_second = len(self.readers) * self.job.rate * CATCHING_UP
        for _ in range(CATCH_UP_SECONDS if self.paced else 0):
            count, began = sum(reader.count for reader in self.readers), perf_counter()
            await asyncio.sleep(1.0)
            arrived = sum(reader.count for reader in self.readers) - count
            if arrived <= due_each_second * (perf_counter() - began):
                return

    async def _start_shared_stream(self) -> str:
        """Start ours on a connection of its own, which does not count; return its id."""
        try:
            starter = await self._connect_one(STALLED)
        except Exception as error:
            raise ConnectionError("no connection for the stream for all") from error
        starter.stream_id = asyncio.get_running_loop().create_future()
        request = {"text": self.job.text, "rate": self.job.rate, "format": "chunk"}
        starter.send(packet("start_stream", request))
        try:
            return await asyncio.wait_for(starter.stream_id, STALLED)
        except TimeoutError:
            raise TimeoutError("the stream for all did not start") from None

    async def _start_broadcast(self) -> None:
        """Join the peers' room with all readers, then start the loop that sends to it."""
        for reader in self.readers:
            reader.send(packet("join"))
        await asyncio.sleep(1.0)  # a join has no answer that all peers would give
        for reader in self.readers:
            reader.start(None)
        self.readers[0].send(packet("broadcast", {"text": self.job.text, "rate": self.job.rate}))

    async def _start_spread(self, message: bytes) -> None:
        began = perf_counter()
        for number, reader in enumerate(self.readers):
            due = began + self.job.start_seconds * number / len(self.readers)
            if (delay := due - perf_counter()) > 0:
                await asyncio.sleep(delay)
            reader.start(message)

    async def _ping_every_second(self) -> None:
        step = max(1, len(self.readers) // PINGED)
        while True:
            for reader in self.readers[::step][:PINGED]:
                reader.ping()
            await asyncio.sleep(1.0)

    async def open_window(self) -> None:
        """Count from now on."""
        self._marks = [reader.count for reader in self.readers]
        del self.seen.gaps[:]
        del self.seen.round_trips[:]
        self._opened, self._cpu = perf_counter(), time.process_time()

    async def close_window(self) -> Report:
        """Stop counting, and tell."""
        now, cpu = perf_counter(), time.process_time()
        counts = [r.count - mark for r, mark in zip(self.readers, self._marks, strict=True)]
        gaps = np.array(self.seen.gaps, dtype=np.float32)
        if self.paced:
            waited = np.array([now - reader.last for reader in self.readers], dtype=np.float32)
            gaps = np.concatenate([gaps, waited[waited > 1 / self.job.rate]])
        return Report(
            seconds=now - self._opened,
            counts=np.array(counts, dtype=np.int64),
            first=np.array([reader.first for reader in self.readers if reader.count]),
            gaps=gaps,
            round_trips=np.array(self.seen.round_trips),
            pings=_share(self.seen.answered_pings, self.seen.pings, self._opened, now - PATIENCE),
            cpu=cpu - self._cpu,
            cpu_of_all=cpu - self._cpu,
            lost=self.seen.lost,
            exact=all(reader.exact for reader in self._checking),
            errors=dict(self.seen.errors.most_common(5)),
        )

    async def serve(self, pipe: Connection) -> None:
        """Do what the pipe says until it is closed."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                command = await loop.run_in_executor(None, pipe.recv)
            except (EOFError, OSError):
                self.seen.closing = True
                return
            try:
                answer: Any = await getattr(self, command)()
            except Exception as error:  # noqa: BLE001 (the parent raises it)
                answer = error
            pipe.send(answer)


def _share(answered: array[float], sent: array[float], since: float, until: float) -> float | None:
    """Return the share of the pings sent in a time that were answered; None: there were none."""
    due = sum(since <= at <= until for at in sent)
    return sum(since <= at <= until for at in answered) / due if due else None


def main(pipe: Connection, job: Job) -> None:
    """Run in a process of its own."""
    uvloop.run(Generator(job).serve(pipe))
