"""An Engine.IO session's heartbeat: who is asked, who has answered, and by when."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from engineio.exceptions import SocketIsClosedError
from engineio.packet import PING, Packet
from engineio.socket import Socket

from textstream.transport.shared import Shared


class HeartbeatSocket(Socket):
    """Engine.IO's session, with a heartbeat that only who was asked can answer."""

    ping_due: float = float("inf")
    """When the next heartbeat is or was due, by the monotonic clock."""

    last_ping: float | None
    """When a ping was made that is not answered, by the wall clock. Engine.IO's."""

    queue: Any

    shared: Shared
    """What all sessions share. Set by `Sessions`."""

    _held = False
    _forgiven = False  # whether the pong that is awaited was given its time anew

    def schedule_ping(self) -> None:
        """Send the next ping when it is due, if the last was answered.

        By a timer for all, where Engine.IO has a thread for each that sleeps.
        """
        if not self.last_ping:
            return  # one is on its way
        self.last_ping = None
        interval = self.server.ping_interval
        self.ping_due = time.monotonic() + interval
        self.shared.pings.add(self, interval)

    def ping(self) -> None:
        """Ask for a sign of life."""
        if not self.closing and not self.closed:
            self.last_ping = time.time()
            with suppress(SocketIsClosedError):  # since it was looked at, in another thread
                self.send(Packet(PING))

    def pong(self) -> None:
        """Take a pong for the ping that is out.

        One that nobody asked for is ignored, also where the ping waits for a poll: it does not show
        that anybody listens. The reference server takes it, and lives with such clients for ever.
        """
        if self.queue.pong():
            self._forgiven = False
            self.schedule_ping()

    def check_ping_timeout(self) -> bool:
        """Return whether the client may still live; close it if not.

        One whose request is held has no chance to send its pong.
        """
        return (self._held and not self.closed) or bool(super().check_ping_timeout())

    def is_overdue(self) -> bool:
        """Return whether the ping that is out is not answered in time.

        By the time that it was due: a client counts from there too, and on a timer that is late
        nobody could rely.
        """
        last_due = self.ping_due if self.last_ping else float("inf")
        return bool(time.monotonic() >= last_due + self.server.ping_timeout)

    @property
    def is_held(self) -> bool:
        """Whether a request of the client's is being handled."""
        return self._held

    def hold(self, held: bool) -> None:
        """Note that a request of the client's is being handled, or no longer.

        Its pong waits behind it, and has its time anew then: once for each ping, as on the
        reference server after any packet.
        """
        self._held = held
        if not held and self.last_ping and not self._forgiven:
            self._forgiven = True
            self.last_ping, self.ping_due = time.time(), time.monotonic()
