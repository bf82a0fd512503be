"""The connections to the store, and the one thread that speaks on them.

Everything of the store's is done in that thread: what comes back, what is published, what is due.
Others leave commands with it and, at the most, wait. Many commands go in one send, packed by
``hiredis``: 2.3 µs of our processor for each instead of 11 with a client's pipeline (measured).

There is one connection, or one to each shard of a cluster. They stand and fall together: with one
of them gone nobody could say of a stream whether it is there, so the store is down as a whole.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import random
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import hiredis

from textstream.errors import Unavailable
from textstream.loggable import log_exception
from textstream.store.shard import PING_SECONDS, Batch, Done, Replies, Shard
from textstream.store.wire import Command

__all__ = ["Connects", "Done", "Link", "Replies", "Route"]

logger = logging.getLogger("textstream.store")

FIRST_DELAY = 0.05
LONGEST_DELAY = 1.0
"""Seconds between two attempts to connect: doubled each time, and a part of it by chance."""

MAX_BACKLOG = 8 * 2**20
"""Bytes that wait to be sent; with more, nothing is added but what is asked for."""

SUBSCRIBE, UNSUBSCRIBE, PUBLISH = "SUBSCRIBE", "UNSUBSCRIBE", "PUBLISH"

SHARDED = {name: f"S{name}" for name in (SUBSCRIBE, UNSUBSCRIBE, PUBLISH)}
"""Of a stream's channel, in a cluster: else each message goes to all its servers (Valkey, "Sharded
Pub/Sub"). Not of the few that are everybody's: other programs publish there, wherever they are."""

TAG = "{"
"""Begins the hash tag that every name of a stream has."""

DOWN = "The store that the servers share does not answer. Try again in a moment."

_pack: Callable[[Any], bytes] = hiredis.pack_command


class Route(NamedTuple):
    """Connections, and which of them a command is for.

    Attributes:
        sockets: connected, not blocking; RESP3 is spoken on them, and nothing was asked yet.
        shard_of: returns the index of one, by the name of a key or a channel; None: there is one.

    """

    sockets: Sequence[socket.socket]
    shard_of: Callable[[str], int] | None = None


class Connects(Protocol):
    """Makes connections; see `textstream.store.connect`."""

    def connect(self) -> Route:
        """Return connections to all servers. Raises OSError."""
        ...


def key_of(command: Command) -> str:
    """Return the key, or the channel, that a command is about: all of its keys are of one slot."""
    name = command[0]
    return str(command[3] if name == "EVAL" else command[1])


class Link:
    """Keeps the connections. `send` and `ask` for any thread; the rest is the store's thread's own.

    Attributes:
        up: whether the store answers.
        up_since: since when, by the clock.
        reconnects: how often it was connected to anew.
        backlog: bytes that wait to be sent.

    """

    def __init__(self, connector: Connects, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Connect to nothing yet."""
        self._connector = connector
        self._clock = clock
        self._lock = threading.Lock()  # guards _left and _calls
        self._left: deque[tuple[Sequence[Command], Done]] = deque()
        self._calls: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._roused = True  # nobody is to be, before it begins
        self._shards: list[Shard] = []  # none while the store is down
        self._shard_of: Callable[[str], int] | None = None
        self._closed = False
        self._thread: threading.Thread | None = None
        self._delay = FIRST_DELAY
        self.up = False
        self.up_since = 0.0
        self._down_since = clock()
        self.reconnects = -1
        self.on_up: Callable[[], object] = bool
        self.on_down: Callable[[], object] = bool
        self.on_message: Callable[[bytes, bytes], object] = lambda _channel, _message: None

    @property
    def backlog(self) -> int:
        """Bytes that wait to be sent."""
        return sum(len(shard.outgoing) for shard in self._shards)

    def start(self) -> None:
        """Begin to connect, in this process: one that is forked has a link of its own."""
        self._wanted, self._rouse = socket.socketpair()
        self._wanted.setblocking(False)
        self._roused = False
        self._down_since = self._clock()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    def close(self, timeout: float) -> None:
        """Send what is left, and end the thread, in so many seconds."""
        self._closed = True
        self.wake()
        if self._thread:
            self._thread.join(timeout)
            if not self._thread.is_alive():
                self._wanted.close()
                self._rouse.close()

    def send(self, commands: Sequence[Command], done: Done = bool) -> None:
        """Send commands soon. Any thread, any lock held."""
        with self._lock:
            self._left.append((commands, done))
        self.wake()

    def ask(self, commands: Sequence[Command], timeout: float) -> Replies:
        """Send commands and wait for the replies. Not in the store's thread, nor under a lock.

        Raises:
            Unavailable: there are none in `timeout` seconds; what was asked may still be done.

        """
        replies: list[Replies | None] = []
        answered = threading.Event()

        def done(got: Replies | None) -> None:
            replies.append(got)
            answered.set()

        if not self.up:
            if self._clock() - self._down_since > timeout:
                raise Unavailable(DOWN)  # at once: a thread waits for each that asks
            self._wait_until_up(timeout)
        self.send(commands, done)
        if not answered.wait(timeout) or replies[0] is None:
            raise Unavailable(DOWN)
        for reply in replies[0]:
            if isinstance(reply, hiredis.ReplyError):
                logger.error("the store refused a command: %s", reply)
                raise Unavailable(DOWN)
        return replies[0]

    def call_at(self, when: float, callback: Callable[[], object]) -> None:
        """Call back in the store's thread at a time of the clock. Any thread, any lock held."""
        with self._lock:
            heapq.heappush(self._calls, (when, next(self._order), callback))
            first = self._calls[0][2] is callback
        if first:
            self.wake()

    def soon(self, callback: Callable[[], object]) -> None:
        """Call back in the store's thread. Any thread, any lock held."""
        self.call_at(0.0, callback)

    def wake(self) -> None:
        """Have the thread look at what was left with it."""
        if not self._roused:
            self._roused = True
            with contextlib.suppress(OSError):  # it is closed, or has been told often enough
                self._rouse.send(b"\0")

    # The store's thread.

    def _wait_until_up(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not self.up and time.monotonic() < deadline and not self._closed:
            time.sleep(0.02)
        if not self.up:
            raise Unavailable(DOWN)

    def _run(self) -> None:
        next_try = 0.0
        while not self._closed or (self._shards and (self._left or self.backlog)):
            now = self._clock()
            if not self._shards and now >= next_try and not self._connect():
                next_try = self._clock() + self._delay * random.uniform(0.5, 1)  # noqa: S311
                self._delay = min(LONGEST_DELAY, 2 * self._delay)
            self._call_due(self._clock())
            try:
                self._serve(next_try)
            except (OSError, hiredis.HiredisError) as error:
                self._break(error)
                next_try = self._clock() + self._delay * random.uniform(0.5, 1)  # noqa: S311
        self._fail_all()

    def _connect(self) -> bool:
        try:
            sockets, self._shard_of = self._connector.connect()
        except OSError as error:
            if self._delay == FIRST_DELAY:
                logger.warning("the store cannot be reached: %s", error)
            return False
        now = self.up_since = self._clock()
        self._shards = [
            Shard(sock, now, call=self._call, on_message=self._heard) for sock in sockets
        ]
        self._delay = FIRST_DELAY
        self.up = True
        self.reconnects += 1
        logger.info("connected to the store")
        self._call(self.on_up)
        return True

    def _heard(self, channel: bytes, message: bytes) -> None:
        self.on_message(channel, message)

    def _break(self, error: Exception) -> None:
        """Give the connections up; whoever waits for an answer is told that there is none."""
        if not self._shards:
            return
        logger.warning("the store is gone: %s", error)
        self.up = False
        self._down_since = self._clock()
        self._fail_all()
        self._call(self.on_down)

    def _fail_all(self) -> None:
        shards, self._shards = self._shards, []
        left = dict.fromkeys(batch for shard in shards for batch in shard.fail())
        for batch in left:
            self._call(batch.done, None)

    def _serve(self, next_try: float) -> None:
        """Send what was left, read what has come, or wait for either."""
        self._roused = False
        self._pack_left()
        shards = self._shards
        timeout = self._until_next(next_try)
        poll = select.poll()  # made anew: they are few, and what they wait for changes
        poll.register(self._wanted, select.POLLIN)
        for shard in shards:
            if shard.outgoing:
                shard.write()
            poll.register(shard.sock, select.POLLIN | (select.POLLOUT if shard.outgoing else 0))
            if shard.pending:
                timeout = 0.0
        ready = dict(poll.poll(timeout * 1000))
        if self._wanted.fileno() in ready:
            self._drain()
        now = self._clock()
        for shard in shards:
            if shard.pending or ready.get(shard.sock.fileno(), 0) & ~select.POLLOUT:
                shard.read(now)
            if shard.is_silent(now):
                shard.add([_pack(("PING",))], [(Batch(1, bool), 0)])

    def _until_next(self, next_try: float) -> float:
        with self._lock:
            if self._left and self._shards:
                return 0.0
            due = self._calls[0][0] if self._calls else float("inf")
        due = min(
            [due, *(shard.due() for shard in self._shards)] if self._shards else [due, next_try]
        )
        return min(max(0.0, due - self._clock()), PING_SECONDS)

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wanted.recv(4096)

    def _pack_left(self) -> None:
        """Pack what was left; where there is no connection, it has failed."""
        with self._lock:
            if not self._left:
                return
            left, self._left = self._left, deque()
        if not self._shards:
            for _, done in left:
                self._call(done, None)
            return
        packed: list[list[bytes]] = [[] for _ in self._shards]
        awaited: list[list[tuple[Batch, int]]] = [[] for _ in self._shards]
        for commands, done in left:
            self._pack(commands, done, packed, awaited)
        for shard, sent, replies in zip(self._shards, packed, awaited, strict=True):
            if sent:
                shard.add(sent, replies)

    def _pack(
        self,
        commands: Sequence[Command],
        done: Done,
        packed: list[list[bytes]],
        awaited: list[list[tuple[Batch, int]]],
    ) -> None:
        batch = Batch(len(commands), done)
        at = 0
        for number, command in enumerate(commands):
            if self._shard_of is not None:
                key = key_of(command)
                at = self._shard_of(key)
                if TAG in key:
                    name = SHARDED.get(str(command[0]), command[0])
                    command = (name, *command[1:])  # noqa: PLW2901
            packed[at].append(_pack(command))
            awaited[at].append((batch, number))
            self._shards[at].note(command)
        if not commands:
            self._call(done, [])

    def _call_due(self, now: float) -> None:
        due = []
        with self._lock:
            while self._calls and self._calls[0][0] <= now:
                due.append(heapq.heappop(self._calls)[2])
        for callback in due:
            self._call(callback)

    @staticmethod
    def _call(callback: Callable[..., object], *args: Any) -> None:
        try:
            callback(*args)
        except Exception as error:  # noqa: BLE001 (of whatever kind: the thread must go on)
            log_exception(logger, "a step of the store's failed", error=error)
