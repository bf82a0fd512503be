"""The queue of an Engine.IO session: a queue while it polls, a socket once it has one."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from engineio.packet import PING

from textstream.access.account import Account, Kind
from textstream.transport.connection import Connection
from textstream.transport.engine_packets import hand_over, size_of
from textstream.transport.poll_window import PollWindow, Waiting
from textstream.transport.watchers import Wake, Watchers
from textstream.transport.window import FIRST

MAX_POLL_PACKETS = 16
"""Packets in the answer to one poll: Engine.IO's own clients refuse more."""

JOIN_SECONDS = 1.0
"""How long a closed session is kept for its client's next poll, which brings the close packet."""


class SessionQueue:
    """Hands what is put into it to a connection, once there is one, in the same order.

    Until then a poll waits for it, in a thread (`wait`) or without one (`park`), and takes at most
    `MAX_POLL_PACKETS` packets (`collect`): a stream fills the queue fast, and the answer would grow
    past what clients accept.

    No ``queue.Queue``: it counts bytes, a poll wakes who waits for the room that it makes, and a
    ``queue.Queue`` is 2 kB for each connection.

    ``_lock`` guards everything. Connections and accounts are called while it is held.
    """

    __slots__ = (
        "_clock",
        "_ended",
        "_lock",
        "_over",
        "_packets",
        "_ping_left",
        "_wanting",
        "_watchers",
        "_window",
        "account",
        "connection",
        "nbytes",
    )

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Make an empty queue; `clock` is in seconds."""
        self.connection: Connection | None = None
        self.account: Account | None = None  # whom what waits counts against: see `charge`
        self.nbytes = 0  # what the packets take that wait
        self._clock = clock
        self._lock = threading.Lock()
        self._over = False  # whether the end was put: nothing is taken after it
        self._ended = False  # whether a poll has come to the end
        self._ping_left = False  # whether a client was given a ping that it has not answered
        # Made when they are needed: sessions are many, and most have a WebSocket.
        self._packets: deque[Any] | None = None
        self._window: PollWindow | None = None
        self._wanting: WeakSet[Waiting] | None = None
        self._watchers: Watchers | None = None

    @property
    def watchers(self) -> Watchers:
        """Told of packets that come, or go, and of the end."""
        if self._watchers is None:
            with self._lock:
                return self._watched()
        return self._watchers

    @property
    def settled(self) -> bool:
        """Whether everything that was put into it has left."""
        return self.empty() and (self.connection is None or self.connection.settled)

    @property
    def polls(self) -> bool:
        """Whether its client polls: now, or a moment ago, or it has not had the time to begin."""
        return self._window is None or self._window.polls

    @property
    def room(self) -> int:
        """Bytes of units that may be put; 0 while the client does not poll, or too much waits."""
        if self.account is not None and self.account.room(Kind.QUEUED) <= 0:
            return 0
        return self._left if self.polls else 0

    @property
    def _left(self) -> int:
        left = self._most - self.nbytes
        return left if left >= self._most // 8 and not self._over else 0

    @property
    def _most(self) -> int:
        return FIRST if self._window is None else self._window.limit

    def qsize(self) -> int:
        """Return how many packets wait."""
        return len(self._packets or ())

    def empty(self) -> bool:
        """Return whether none waits."""
        return not self._packets

    def wake_with_room(self, who: Waiting) -> bool:
        """Wake `who` once, with the poll that makes room, or with the connection.

        Return False where no poll would: there is room, or others must make it, or there is a
        connection. Then `who` has to look again.
        """
        with self._lock:
            window = self._window
            if self.connection or self.room or (window and window.waits):
                return False
            if self._wanting is None:
                self._wanting = WeakSet()
            self._wanting.add(who)
            return True

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002 (a queue's)
        """Send a packet, or queue it for the next poll. None is the end."""
        if self.connection is None:
            with self._lock:
                if self.connection is None:
                    self._add(item)
                    return
        hand_over(self.connection, item)

    def wait(self, seconds: float) -> bool:
        """Begin a poll in a thread, and wait for what it may `collect`; False: nothing came."""
        with self._lock:
            self._begin()
        came = self.watchers.wait_for(self._has_something, seconds)
        if not came:
            self._end()
        return came

    @property
    def is_full(self) -> bool:
        """Whether a poll would take as many packets as it may, or the last there are."""
        return self._over or len(self._packets or ()) >= MAX_POLL_PACKETS

    def park(self, wake: Wake, *, patient: bool = False) -> bool:
        """Begin a poll without a thread: `wake` is called once when there is something for it.

        False: there is something now, and no poll was begun. A `patient` one is, and is woken at
        once, unless as much waits as it may take.
        """
        with self._lock:
            there = self._has_something()
            if self.connection is not None or (there and (self.is_full or not patient)):
                return False
            self._begin()
            watchers = self._watched()
            watchers.add(self._has_something, wake)
            if there:
                watchers.tell()
            return True

    def unpark(self, wake: Wake) -> None:
        """End the poll that was parked with `wake`: nobody will collect."""
        self.watchers.remove(wake)
        self._end()

    def collect(self) -> list[Any]:
        """Take what waits, and end the poll. Nothing at all: the end, or nothing has come yet."""
        with self._lock:
            packets: list[Any] = []
            before = self.nbytes
            while self._packets and len(packets) < MAX_POLL_PACKETS:
                packets.append(self._packets.popleft())
            self._count(-sum(map(size_of, packets)))
            self._ping_left = self._ping_left or any(one.packet_type == PING for one in packets)
            self._ended = self._over and not self._packets
            if self._window is not None:
                self._window.taken(before - self.nbytes)
                self._window.end(full=len(packets) == MAX_POLL_PACKETS)
            self._wake_wanting()
            self._tell()
            return packets

    def pong(self) -> bool:
        """Note a pong; return whether the client was given a ping that it may answer."""
        with self._lock:
            left, self._ping_left = self._ping_left, False
        # Both: one that came with a poll may be answered over the WebSocket.
        return (self.connection is not None and self.connection.confirm()) or left

    def join(self) -> None:
        """Wait until everything was fetched, but not for a client that may never poll again.

        Engine.IO does so when it disconnects a session, also in the thread of a POST with a packet
        of unknown type: stock, each such request would take a thread of the server for ever.
        """
        self.watchers.wait_for(lambda: self._ended or not self._packets, JOIN_SECONDS)

    def attach(self, connection: Connection) -> None:
        """Send what waits, and from now on send at once."""
        with self._lock:
            while self._packets:
                hand_over(connection, self._take())
            if self._over:
                hand_over(connection, None)
            self._packets = self._window = None
            self.connection = connection
            if self._wanting:
                self._wake_wanting()
            if self._watchers is not None:
                self._watchers.tell()

    def charge(self, account: Account | None) -> None:
        """Count what waits against `account` from now on, also what waits already."""
        with self._lock:
            for one, count in ((self.account, -self.nbytes), (account, self.nbytes)):
                if one is not None and count:
                    one.add(Kind.QUEUED, count)
            self.account = account

    def cut_off(self, last: Any) -> None:
        """Throw away what waits; a poll is answered with `last` and the end."""
        with self._lock:
            self._clear()
            self._add(last)
            self._add(None)

    def let_go(self) -> None:
        """Keep nothing, but for a poll that is there to fetch it: nobody else will come.

        Nothing counts against anybody from now on.
        """
        self.charge(None)
        with self._lock:
            if self._window is None or not self._window.waits:
                self._clear()

    def _end(self) -> None:
        with self._lock:
            if self._window is not None:
                self._window.end()

    # With the lock held.

    def _watched(self) -> Watchers:
        if self._watchers is None:
            self._watchers = Watchers(self._lock)
        return self._watchers

    def _tell(self) -> None:
        if self._watchers is not None:
            self._watchers.tell()

    def _begin(self) -> None:
        if self._window is None and self.connection is None:
            self._window = PollWindow(self._clock)
        if self._window is not None:
            self._window.begin()
        if not self._has_something():
            self._wake_wanting()

    def _has_something(self) -> bool:
        """Return whether there is something for a poll."""
        return bool(self._packets) or self._over or self.connection is not None

    def _add(self, item: Any) -> None:
        if item is None:
            self._over = True
        elif not self._over:
            if self._packets is None:
                self._packets = deque()
            self._packets.append(item)
            self._count(size_of(item))
        self._tell()

    def _take(self) -> Any:
        item = self._packets.popleft()  # type: ignore[union-attr]  # looked at before
        self._count(-size_of(item))
        return item

    def _clear(self) -> None:
        while self._packets:
            self._take()

    def _count(self, nbytes: int) -> None:
        self.nbytes += nbytes
        if self.account is not None and nbytes:
            self.account.add(Kind.QUEUED, nbytes)

    def _wake_wanting(self) -> None:
        # With half of it: not for each poll a few packets, by another thread.
        if self._wanting and (self.connection or self._left >= self._most // 2):
            for one in self._wanting:
                one.wake()
            self._wanting.clear()
