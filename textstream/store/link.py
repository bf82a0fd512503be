"""The connection to the store, and the one thread that speaks on it.

Everything of the store's is done in that thread: what comes back, what is published, what is due.
Others leave commands with it and, at the most, wait. Many commands go in one send, packed by
``hiredis``: 2.3 µs of our processor for each instead of 11 with a client's pipeline (measured).
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import random
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import hiredis

from textstream.errors import Unavailable
from textstream.loggable import log_exception
from textstream.store.wire import Command

logger = logging.getLogger("textstream.store")

PING_SECONDS = 1.0
"""After so long without a word the store is asked for one."""

DEAD_SECONDS = 3.0
"""A store that answers nothing for so long is given up, and connected to anew."""

FIRST_DELAY = 0.05
LONGEST_DELAY = 1.0
"""Seconds between two attempts to connect: doubled each time, and a part of it by chance."""

RECEIVED = 262_144
"""Bytes read at once."""

MAX_BACKLOG = 8 * 2**20
"""Bytes that wait to be sent; with more, nothing is added but what is asked for."""

BROKEN = ("LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "MISCONF", "NOREPLICAS")
"""What errors begin with that mean: not this server, or not now."""

CONFIRMED = (b"subscribe", b"unsubscribe")
"""What is pushed in the place of a reply, in its order (RESP3). One that is refused has a reply."""

DOWN = "The store that the servers share does not answer. Try again in a moment."

Replies = list[Any]
Done = Callable[[Replies | None], object]
"""Called in the store's thread with a reply for each command, errors among them; None: the
connection broke, and nobody knows what was done."""


_pack: Callable[[Any], bytes] = hiredis.pack_command


class Connects(Protocol):
    """Makes connections; see `textstream.store.connect`."""

    def connect(self) -> socket.socket:
        """Return a connected socket, not blocking. Raises OSError."""
        ...


class Link:
    """Keeps a connection. `send` and `ask` for any thread; the rest is the store's thread's own.

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
        self._sock: socket.socket | None = None
        self._waiting: deque[tuple[int, Replies, Done]] = deque()  # for so many replies
        self._outgoing = b""
        self._closed = False
        self._thread: threading.Thread | None = None
        self._delay = FIRST_DELAY
        self._heard = 0.0
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
        return len(self._outgoing)

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
        while not self._closed or (self._sock and (self._outgoing or self._left)):
            now = self._clock()
            if self._sock is None and now >= next_try and not self._connect():
                next_try = self._clock() + self._delay * random.uniform(0.5, 1)  # noqa: S311
                self._delay = min(LONGEST_DELAY, 2 * self._delay)
            self._call_due(self._clock())
            try:
                self._serve(next_try)
            except (OSError, hiredis.HiredisError) as error:
                self._break(error)
                next_try = self._clock() + self._delay * random.uniform(0.5, 1)  # noqa: S311
        if self._sock:
            self._sock.close()
            self._fail_all()

    def _connect(self) -> bool:
        try:
            self._sock = self._connector.connect()
        except OSError as error:
            if self._delay == FIRST_DELAY:
                logger.warning("the store cannot be reached: %s", error)
            self._call_due(self._clock())
            return False
        self._reader: Any = hiredis.Reader()
        self._outgoing = b""
        self._heard = self.up_since = self._clock()
        self._delay = FIRST_DELAY
        self.up = True
        self.reconnects += 1
        logger.info("connected to the store")
        self._call(self.on_up)
        return True

    def _break(self, error: Exception) -> None:
        """Give the connection up; whoever waits for an answer is told that there is none."""
        if self._sock is None:
            return
        logger.warning("the store is gone: %s", error)
        self._sock.close()
        self._sock, self.up = None, False
        self._down_since = self._clock()
        self._fail_all()
        self._call(self.on_down)

    def _fail_all(self) -> None:
        waiting, self._waiting = self._waiting, deque()
        for _, _, done in waiting:
            self._call(done, None)

    def _serve(self, next_try: float) -> None:
        """Send what was left, read what has come, or wait for either."""
        self._roused = False
        self._pack()
        sock = self._sock
        if self._outgoing and sock:
            self._write(sock)
        timeout = self._until_next(next_try)
        poll = select.poll()  # made anew: there are two, and one changes
        poll.register(self._wanted, select.POLLIN)
        if sock:
            poll.register(sock, select.POLLIN | (select.POLLOUT if self._outgoing else 0))
        pending = isinstance(sock, ssl.SSLSocket) and sock.pending()
        ready = dict(poll.poll(0 if pending else timeout * 1000))
        if self._wanted.fileno() in ready:
            self._drain()
        if sock and (pending or ready.get(sock.fileno(), 0) & ~select.POLLOUT):
            self._read(sock)
        self._keep_alive()

    def _until_next(self, next_try: float) -> float:
        with self._lock:
            if self._left and self._sock:
                return 0.0
            due = self._calls[0][0] if self._calls else float("inf")
        now = self._clock()
        due = min(due, self._heard + PING_SECONDS if self._sock else next_try)
        return min(max(0.0, due - now), PING_SECONDS)

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wanted.recv(4096)

    def _pack(self) -> None:
        """Pack what was left; where there is no connection, it has failed."""
        with self._lock:
            if not self._left:
                return
            left, self._left = self._left, deque()
        if self._sock is None:
            for _, done in left:
                self._call(done, None)
            return
        packed = [self._outgoing]
        for commands, done in left:
            packed += map(_pack, commands)
            if commands:
                self._waiting.append((len(commands), [], done))
            else:
                self._call(done, [])
        self._outgoing = b"".join(packed)

    def _write(self, sock: socket.socket) -> None:
        try:
            sent = sock.send(self._outgoing)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        self._outgoing = self._outgoing[sent:]

    def _read(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(RECEIVED)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        if not data:
            raise ConnectionResetError("it closed the connection")
        self._heard = self._clock()
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            self._take(reply)

    def _take(self, reply: Any) -> None:
        if isinstance(reply, hiredis.PushNotification) and reply[0] not in CONFIRMED:
            if reply[0] == b"message":
                self._call(self.on_message, reply[1], reply[2])
            return
        if isinstance(reply, hiredis.ReplyError) and str(reply).startswith(BROKEN):
            raise ConnectionResetError(str(reply))
        wanted, replies, done = self._waiting[0]
        replies.append(reply)
        if len(replies) == wanted:
            self._waiting.popleft()
            self._call(done, replies)

    def _keep_alive(self) -> None:
        if self._sock is None:
            return
        silent = self._clock() - self._heard
        if silent >= DEAD_SECONDS and self._waiting:
            raise TimeoutError(f"it has answered nothing for {silent:.0f} s")
        if silent >= PING_SECONDS and not self._waiting:
            self.send([("PING",)])

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
