"""A poll that waits without a thread."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from textstream.access.account import Account
from textstream.transport.answer_pace import AnswerPace
from textstream.transport.reactor import Timer
from textstream.transport.waits import Once
from textstream.transport.watchers import Wake

UPGRADE_SECONDS = 0.05
"""How long a poll waits for an upgrade that is on its way, before it is told to come again.

The packet that completes the upgrade may have been sent before the poll, and is handled by another
thread. A client waits for its poll before it completes the upgrade, so it must not be long.
"""


LOOK_AGAIN = 0.1
"""Seconds between two looks at a heartbeat that is overdue, at least."""


class ParkedPoll:
    """One client's poll, from its coming until it is answered or its connection has gone.

    It is its session's poll as long as it waits. Whoever keeps its request takes the answer, or
    leaves, or gives it back, whichever comes first: the others come to nothing.
    """

    __slots__ = ("_claim", "_session", "_timer", "_wake", "during_upgrade")

    def __init__(self, session: Any, wake: Wake, pace: AnswerPace | None = None) -> None:
        """Let `wake` be called when there is something for it, and `pace` lets.

        `session` is a `polling.PollingSocket`, which this must not import.
        """
        self.during_upgrade = False  # whether it came while its session was being upgraded
        self._session = session
        self._wake = Once(wake if pace is None else partial(pace.enter, wake, self._is_full))
        self._claim = Once(self._cancel)
        self._timer: Timer | None = None

    def wake(self) -> None:
        """Have it answered. The second time it does nothing."""
        self._wake()

    def wake_in(self, seconds: float) -> None:
        """Have it answered then at the latest."""
        self._timer = self._session.shared.call_later(seconds, self.wake)

    def watch_heartbeat(self) -> None:
        """End the session when the heartbeat that is out is overdue, and this still waits."""
        session = self._session
        left = session.ping_due + session.server.ping_timeout - time.monotonic()
        # One that is overdue while a request of the client's is at work is looked at again.
        self._timer = session.shared.call_later(max(left, LOOK_AGAIN), self._check_heartbeat)

    @property
    def account(self) -> Account | None:
        """Its session's, which bears what its client does not take at once."""
        account: Account | None = self._session.account
        return account

    @property
    def nbytes(self) -> int:
        """Bytes that wait for it."""
        return int(self._session.queue.nbytes)

    def take(self) -> Any:
        """Return what it is answered, as Engine.IO has it: packets, or a response.

        Does not block. None: its connection has gone.
        """
        if not self._claim():
            return None
        try:
            return self._session.collect(self)
        finally:
            self._session.end_poll(self)

    def leave(self) -> None:
        """End the session: the connection of its poll has gone, as the reference server has it.

        No client polls again with it. A poll that comes all the same is the second at a time.
        """
        if self._claim():
            self._wake.cancel()
            self._session.forsake(self)
            self._session.close_soon(self._session.server.reason.TRANSPORT_ERROR)

    def give_back(self) -> None:
        """Wait no longer: somebody else serves the poll, or refuses it for now."""
        if self._claim():
            self._wake.cancel()
            self._session.forsake(self)
            self._session.end_poll(self)

    def _is_full(self) -> bool:
        return self._claim.called or bool(self._session.queue.is_full)

    def _cancel(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _check_heartbeat(self) -> None:
        session = self._session
        if self._claim.called or not session.last_ping:
            return
        if session.is_overdue() and not session.is_held:
            # The poll is answered with the packet that says so.
            session.close_soon(session.server.reason.PING_TIMEOUT)
        else:
            self.watch_heartbeat()
