"""One connection through the proxy: two sockets, a bounded buffer for each direction."""

from __future__ import annotations

import math
import selectors
import socket
import struct
from contextlib import suppress

from textstream.chaos.bucket import TokenBucket
from textstream.chaos.plan import CutKind, Fault, Passage

BUFFER = 64 * 1024
"""Bytes that may wait for one side before the other is not read any more."""

LINGER_SECONDS = 1.0
"""How long both sides have to hang up too after an orderly end."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Flow:
    """One direction."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self.source = source
        self.target = target
        self.waiting = bytearray()
        self.carried = 0
        self.ended = False
        self.passed_end = False

    @property
    def wants_data(self) -> bool:
        """Whether there is room for more."""
        return not self.ended and len(self.waiting) < BUFFER

    def read(self) -> None:
        """Read what there is and fits. Raises OSError."""
        if self.wants_data:
            with suppress(BlockingIOError):
                data = self.source.recv(BUFFER - len(self.waiting))
                self.waiting += data
                self.ended = not data

    def write(self, limit: float) -> int:
        """Write up to `limit` bytes of what waits; return how many. Raises OSError."""
        count = int(min(limit, len(self.waiting)))
        if count == 0:
            return 0
        try:
            with memoryview(self.waiting) as view:
                sent = self.target.send(view[:count])
        except BlockingIOError:
            return 0
        del self.waiting[:sent]
        self.carried += sent
        return sent

    def pass_end(self) -> None:
        """Tell the target that no more comes, once all has gone. Raises OSError."""
        if self.ended and not self.waiting and not self.passed_end:
            self.passed_end = True
            self.target.shutdown(socket.SHUT_WR)


class Pipe:
    """A connection of a client, and the one to the server that belongs to it.

    Serve it with `step` when one of its sockets is ready as `interest` says, and at `wake_at`.
    """

    def __init__(
        self,
        number: int,
        client: socket.socket,
        server: socket.socket,
        passage: Passage,
        *,
        bucket: TokenBucket | None,
        trickle: int | None,
    ) -> None:
        """Take both sockets, which do not block.

        Args:
            number: of the connection, from 1.
            client: whoever has connected to the proxy.
            server: the connection to the server.
            passage: the faults.
            bucket: how fast bytes go to the client; None: as they come.
            trickle: the most bytes of one write, either way; None: all that there is.

        """
        self.number = number
        self.client = client
        self.server = server
        self.passage = passage
        self.up = Flow(client, server)
        self.down = Flow(server, client)
        self.hanging_up = False
        self.muted = False
        """Whether what comes from the server is dropped, all but its end."""
        self._deadline = math.inf
        self._stalled_until = -math.inf
        self._bucket = bucket
        self._trickle = math.inf if trickle is None else trickle

    @property
    def sockets(self) -> tuple[socket.socket, socket.socket]:
        """The client's and the server's."""
        return self.client, self.server

    @property
    def over(self) -> bool:
        """Whether both sides have ended, and know it of each other."""
        ended = self.up.ended and self.down.ended
        return ended and (self.hanging_up or (self.up.passed_end and self.down.passed_end))

    def overdue(self, now: float) -> bool:
        """Whether it hangs up for too long."""
        return now >= self._deadline

    def interest(self, which: socket.socket, now: float) -> int:
        """Return what to wait for, of `selectors`' events; 0 is nothing."""
        if now < self._stalled_until:
            return 0
        into, out_of = (self.up, self.down) if which is self.client else (self.down, self.up)
        events = selectors.EVENT_READ if into.wants_data else 0
        if out_of.waiting and self._allowed(out_of, now):
            events |= selectors.EVENT_WRITE
        return events

    def wake_at(self, now: float) -> float:
        """Return when to call `step` though no socket is ready; infinite: never."""
        if self.hanging_up:
            return self._deadline
        if now < self._stalled_until:
            return self._stalled_until
        if self.passage.left <= 0:  # a second fault at this byte
            return now
        if self._bucket and self.down.waiting and not self._bucket.available(now):
            return self._bucket.due(len(self.down.waiting))
        return math.inf

    def step(self, now: float, readable: socket.socket | None) -> Fault | None:
        """Carry what can be carried; return the fault that is due then.

        Raises:
            OSError: one side has reset the connection.

        """
        if now < self._stalled_until:
            return None
        for flow in (self.up, self.down):
            if flow.source is readable:
                flow.read()
            if self.hanging_up:
                flow.waiting.clear()
                continue
            if self.muted and flow is self.down:
                flow.waiting.clear()
            sent = flow.write(self._allowed(flow, now))
            if flow is self.down:
                self.passage.carried(sent)
                if self._bucket:
                    self._bucket.take(sent)
            flow.pass_end()
        return None if self.hanging_up else self.passage.due()

    def stall(self, until: float) -> None:
        """Carry nothing before `until`."""
        self._stalled_until = until

    def hang_up(self, now: float) -> None:
        """End both sides in order: what was sent so far arrives, then the end.

        The sockets stay for a while, and what they receive is dropped: a socket that is closed
        with something unread resets the connection, and takes from the other side what it has
        not read yet.
        """
        self.hanging_up = True
        self._stalled_until = -math.inf
        self._deadline = now + LINGER_SECONDS
        for flow in (self.up, self.down):
            flow.waiting.clear()
            if not flow.passed_end:
                with suppress(OSError):
                    flow.target.shutdown(socket.SHUT_WR)

    def close(self, kind: CutKind = "fin") -> None:
        """Close both sockets; ``"rst"`` says nothing of an end, as when a network goes."""
        for each in self.sockets:
            if kind == "rst":
                with suppress(OSError):
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            each.close()

    def _allowed(self, flow: Flow, now: float) -> float:
        if flow is self.up:
            return self._trickle
        speed = self._bucket.available(now) if self._bucket else math.inf
        return min(self._trickle, speed, self.passage.left)
