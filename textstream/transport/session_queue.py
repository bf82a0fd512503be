"""The queue of an Engine.IO session: a queue while it polls, a socket once it has one."""

from __future__ import annotations

import queue
import threading
from typing import Any

from engineio.packet import NOOP, PING

from textstream.transport.connection import Connection
from textstream.transport.frames import NORMAL, message_frame

MAX_POLL_PACKETS = 16
"""Packets in the answer to one poll: Engine.IO's own clients refuse more."""

JOIN_SECONDS = 1.0
"""How long a closed session is kept for its client's next poll, which brings the close packet."""


class SessionQueue(queue.Queue[Any]):
    """Hands what is put into it to a connection, once there is one, in the same order.

    Until then it is a queue that gives at most `MAX_POLL_PACKETS` packets in a row without
    waiting: Engine.IO's ``Socket.poll`` waits for one and takes then all that there are. A
    stream fills the queue faster than that, and the answer would grow past what clients accept.
    """

    connection: Connection | None = None

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self._attaching = threading.Lock()  # put and attach, so that order is kept
        self._in_a_row = 0  # only the one thread that polls touches it
        self._ended = False  # whether a poll has come to the end
        # Made by `join`, which is rare: it is a kilobyte. And not the base's, which is not there
        # where gevent has put its queues in place of Python's.
        self._fetched: threading.Condition | None = None

    @property
    def settled(self) -> bool:
        """Whether everything that was put into it has left."""
        return self.empty() and (self.connection is None or self.connection.settled)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Send a packet, or queue it for the next poll. None is the end."""
        if self.connection is None:
            with self._attaching:
                if self.connection is None:
                    super().put(item, block, timeout)
                    return
        _hand_over(self.connection, item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take a packet; raise ``queue.Empty`` after `MAX_POLL_PACKETS` without a wait."""
        if block:
            self._in_a_row = 0
        elif self._in_a_row + 1 >= MAX_POLL_PACKETS:
            raise queue.Empty
        item = super().get(block, timeout)
        self._in_a_row += 1
        if item is None:
            self._end(block)
        return item

    def join(self) -> None:
        """Wait until everything was fetched, but not for a client that may never poll again.

        Engine.IO does so when it disconnects a session, also in the thread of a POST with a packet
        of unknown type: stock, each such request would take a thread of the server for ever.
        """
        # Before it looks: whoever fetches looks for it after that.
        fetched = self._fetched = self._fetched or threading.Condition()
        with fetched:
            fetched.wait_for(lambda: self._ended or not self.unfinished_tasks, JOIN_SECONDS)

    def task_done(self) -> None:
        """Count a packet that was fetched; tell who waits for the last one."""
        super().task_done()
        self._tell()

    def attach(self, connection: Connection) -> None:
        """Send what waits, and from now on send at once."""
        with self._attaching:
            while True:
                try:
                    item = super().get(block=False)
                except queue.Empty:
                    break
                self.task_done()
                _hand_over(connection, item)
            self.connection = connection

    def _tell(self) -> None:
        if (fetched := self._fetched) is not None:
            with fetched:
                fetched.notify_all()

    def _end(self, waited: bool) -> None:
        self._ended = True
        self._tell()
        if waited:
            # Engine.IO puts it back only where it did not wait for it. A second poll at the same
            # time would keep its thread for the heartbeat's 45 s.
            super().put(None)


def _hand_over(connection: Connection, item: Any) -> None:
    if item is None:
        connection.close(NORMAL)
        return
    if item.packet_type == NOOP:
        return  # it ends a poll
    if item.packet_type == PING:
        connection.window.ping()
    connection.write(message_frame(item.encode()))
