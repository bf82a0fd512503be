"""What a request waits for: in a thread, or without one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from textstream.access.gate import Ticket

PARKED = "textstream.parked"
"""Where in an environ is what waits for its request, or did: a `ParkedPoll`, a `ParkedPost`."""

WAKE = "textstream.wake"
"""Where in an environ is who wakes a request, where the thread that serves it must not wait.

It is called with what waits, as `Wake` says, and the application raises `Waits`.
"""


class Waits(Exception):
    """A request waits without the thread that serves it, which is to leave: see `WAKE`."""

    def __init__(self, parked: Any) -> None:
        super().__init__("a request waits")
        self.parked = parked


class Once:
    """Calls once, whoever calls it and how often. Without a lock: it is called under others'."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = [call]

    @property
    def called(self) -> bool:
        """Whether it has."""
        return not self._call

    def cancel(self) -> None:
        """Do not call any more, and let go of what would be called."""
        self._call.clear()

    def __call__(self) -> bool:
        """Call, the first time; return whether this is it."""
        try:
            call = self._call.pop()
        except IndexError:
            return False
        call()
        return True


class Wait(Protocol):
    """One wait; for either of its methods once."""

    def block(self) -> None:
        """Wait, in this thread."""
        ...

    def then(self, resume: Callable[[], None]) -> None:
        """Call `resume` when the wait is over, maybe at once: in any thread, with any lock held."""
        ...


class QueueWait:
    """Until something is ready that a session's queue tells, and for so many seconds at most."""

    def __init__(self, session: Any, seconds: float, ready: Callable[[], bool]) -> None:
        """Wait for nothing yet. `ready` is called with the queue's lock held."""
        self._session = session
        self._seconds = seconds
        self._ready = ready

    def block(self) -> None:
        """Wait, in this thread."""
        self._session.queue.watchers.wait_for(self._ready, self._seconds)

    def then(self, resume: Callable[[], None]) -> None:
        """Call `resume` when the wait is over."""
        once = Once(resume)
        self._session.shared.call_later(self._seconds, partial(self._give_up, once))
        if self._session.queue.watchers.watch(self._ready, once):
            once()

    def _give_up(self, once: Once) -> None:
        self._session.queue.watchers.remove(once)
        once()


class TurnWait:
    """Until a large message has its place, and for so many seconds at most."""

    def __init__(self, session: Any, seconds: float) -> None:
        """Wait for nothing yet."""
        self._session = session
        self._seconds = seconds
        self._ticket: Ticket | None = None

    @property
    def ticket(self) -> Ticket | None:
        """The place, which is to be left; None: there was none in time."""
        ticket = self._ticket
        if ticket is not None and not ticket.inside:
            ticket.leave()
            return None
        return ticket

    def block(self) -> None:
        """Wait, in this thread."""
        self._ticket = self._session.shared.turns.wait(self._session.caller, self._seconds)

    def then(self, resume: Callable[[], None]) -> None:
        """Call `resume` when the wait is over."""
        once = Once(resume)

        def admitted(ticket: Ticket) -> None:
            self._ticket = ticket  # before this has it from `ask`, perhaps
            once()

        self._ticket = self._session.shared.turns.ask(self._session.caller, admitted)
        self._session.shared.call_later(self._seconds, once)
