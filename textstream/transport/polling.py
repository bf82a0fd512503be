"""An Engine.IO session's polls: one at a time, with a thread or without, and its upgrade.

What these methods return and raise is Engine.IO's agreement with its server.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engineio.exceptions import QueueEmpty
from engineio.packet import CLOSE, NOOP, Packet

from textstream.transport.answers import Answer, refusal
from textstream.transport.connection import Connection
from textstream.transport.handshake import is_handshake
from textstream.transport.heartbeat import HeartbeatSocket
from textstream.transport.parked import UPGRADE_SECONDS, ParkedPoll


class PollingSocket(HeartbeatSocket):
    """Engine.IO's session, whose polls need no thread where the WSGI server lets them go."""

    _origin: str | None = None  # of a request that Engine.IO has let in

    _polling: object = False  # whether there is a poll: which, if it is parked; these two are
    _posting = False  # guarded by the flags' lock
    _upgrade_over: threading.Event | None = None
    _parked_in_upgrade: ParkedPoll | None = None

    def handle_get_request(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer a poll, or begin a WebSocket.

        Raises:
            StopIteration, ConnectionError, Waits: it waits without this thread.

        """
        if is_handshake(environ):
            return super().handle_get_request(environ, start_response)
        if self._is_lost:
            self.close(wait=False, reason=self.server.reason.PING_TIMEOUT)
            return refusal(Answer.UNKNOWN_SESSION)
        self.admitted(environ)
        self.shared.hand_off(environ, start_response)
        with self._alone("_polling") as alone:
            if not alone:
                # Its client has let go of the first, whose answer nobody may ever read.
                self.close(wait=False, reason=self.server.reason.TRANSPORT_ERROR)
                return refusal(Answer.BAD_REQUEST, "Two polls at the same time")
            if (over := self._upgrade_over) is not None:
                over.wait(UPGRADE_SECONDS)
            if self.upgraded:
                return refusal(Answer.BAD_REQUEST, "The session has a WebSocket")
            answer = super().handle_get_request(environ, start_response)
            return [self._last] if answer == [] else answer

    def poll(self) -> list[Packet]:
        """Wait for packets, in this thread. None at all: the end.

        Raises:
            QueueEmpty: there were none in the time of a heartbeat.

        """
        if not self.queue.wait(self.server.ping_interval + self.server.ping_timeout):
            raise QueueEmpty
        packets: list[Packet] = self.queue.collect()
        return packets

    # Without a thread.

    def admitted(self, environ: dict[str, Any]) -> None:
        """Note that Engine.IO has let in who asks: it asks a user's code perhaps."""
        self._origin = environ.get("HTTP_ORIGIN") or self._origin

    def admits(self, environ: dict[str, Any]) -> bool:
        """Return whether Engine.IO has let in who asks, or always does."""
        return environ.get("HTTP_ORIGIN") in (None, self._origin)

    def park(self, poll: ParkedPoll, *, patient: bool = False) -> bool:
        """Let a poll wait without a thread. Does not block. Any thread.

        Args:
            poll: it.
            patient: whether it is to wait for its turn also where there is something for it.

        Returns:
            False where it is to be answered at once, or refused.

        """
        if self.closed or not self.connected or self.upgraded or self._is_lost:
            return False
        if not self._occupy("_polling", poll):
            return False
        if self.upgrading:
            poll.during_upgrade, self._parked_in_upgrade = True, poll
            poll.wake_in(UPGRADE_SECONDS)
        elif not self.queue.park(poll.wake, patient=patient):
            self.end_poll(poll)
            return False
        elif self.last_ping:
            poll.watch_heartbeat()
        return True

    def collect(self, poll: ParkedPoll) -> list[Packet] | dict[str, Any]:
        """Return what a poll that was parked is answered. Does not block."""
        if self.upgraded and poll.during_upgrade:
            return refusal(Answer.BAD_REQUEST, "The session has a WebSocket")
        if self.upgrading and poll.during_upgrade:
            return [Packet(NOOP)]
        packets: list[Packet] = self.queue.collect()
        return packets or [self._last]

    def forsake(self, poll: ParkedPoll) -> None:
        """Keep what waits: nobody comes for it with this poll."""
        self.queue.unpark(poll.wake)
        if self.closed:
            self.queue.let_go()

    def end_poll(self, poll: ParkedPoll) -> None:
        """Let the next poll come."""
        with self.shared.flags:
            if self._polling is poll:
                self._polling = False

    @property
    def _last(self) -> Packet:
        """What a poll is told for which there is nothing: an empty answer is malformed."""
        return Packet(CLOSE if self.closed else NOOP)

    @property
    def _is_lost(self) -> bool:
        """Whether the heartbeat was not answered in time, and no request is at work that may."""
        return not self._posting and self.is_overdue()

    @contextmanager
    def _alone(self, flag: str) -> Iterator[bool]:
        """Tell whether no other request of this kind is being handled."""
        alone = self._occupy(flag, True)
        try:
            yield alone
        finally:
            if alone:
                with self.shared.flags:
                    setattr(self, flag, False)

    def _occupy(self, flag: str, by: object) -> bool:
        with self.shared.flags:
            free = not getattr(self, flag)
            if free:
                setattr(self, flag, by)
        return free

    # The upgrade from polling.

    def begin_upgrade(self) -> None:
        """Keep what is sent until the upgrade is through; polls are answered with NOOP."""
        self._upgrade_over = threading.Event()
        self.upgrading = True

    def complete_upgrade(self, connection: Connection) -> None:
        """Go on over `connection`."""
        self.upgraded = True
        self.upgrading = False
        self._end_upgrade()
        self.queue.attach(connection)

    def abandon_upgrade(self) -> None:
        """Go on polling."""
        self.upgrading = False
        self._end_upgrade()

    def _end_upgrade(self) -> None:
        if self._upgrade_over is not None:
            self._upgrade_over.set()
            self._upgrade_over = None
        if (poll := self._parked_in_upgrade) is not None:
            self._parked_in_upgrade = None
            poll.wake()
