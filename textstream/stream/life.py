"""The life of a stream: its states, the ways from one to the next, and when it is over.

::

    created ──▶ producing ◀──▶ held              the source; held by back-pressure
       │            │           │
       ├────────────┼───────────┤
       ▼            ▼           ▼
    (produced: the source has finished, somebody still reads)
       │
       ▼
     ended ──▶ forgotten

Every state before may go to ``ended`` at once: it was stopped, replaced, has expired, or the server
goes down. ``docs/architecture.md`` has the picture with all reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from textstream.protocol import EndReason, StateName


class State(Enum):
    """Where a stream is in its life."""

    value: StateName

    CREATED = "created"  # nothing was asked of its source yet
    PRODUCING = "producing"  # its source generates
    HELD = "held"  # its source stands still: readers are behind, or have paused
    PRODUCED = "produced"  # its source has finished; no reader was sent everything yet
    ENDED = "ended"  # nothing more will be appended; its text can be read again
    FORGOTTEN = "forgotten"  # its text is gone


_BEFORE: dict[State, frozenset[State]] = {
    State.PRODUCING: frozenset((State.CREATED, State.HELD)),
    State.HELD: frozenset((State.PRODUCING,)),
    State.PRODUCED: frozenset((State.CREATED, State.PRODUCING, State.HELD)),
    State.ENDED: frozenset((State.CREATED, State.PRODUCING, State.HELD, State.PRODUCED)),
    State.FORGOTTEN: frozenset((State.ENDED,)),
}


@dataclass(frozen=True)
class Ending:
    """How a stream ended, or how it ended for one reader.

    Attributes:
        reason: see the protocol.
        offset: units in all.
        text_sha256: of their text, in hex.
        error: the error object of the protocol, when the reason is ``error``.

    """

    reason: EndReason
    offset: int
    text_sha256: str
    error: dict[str, Any] | None = None


@dataclass(frozen=True)
class Outcome:
    """How a source finished: ``completed``, ``length`` or ``error``, that one with its error."""

    reason: EndReason
    error: dict[str, Any] | None = None


class Life:
    """The state of one stream. The stream's lock guards it.

    Attributes:
        state: where it is.
        outcome: how its source finished, once it has.
        ending: how it ended, once it has.

    """

    __slots__ = (
        "_clock",
        "_grace",
        "_longest",
        "_resume",
        "_retention",
        "_unread_since",
        "created",
        "ending",
        "outcome",
        "state",
    )

    def __init__(
        self, clock: Callable[[], float], *, grace: float, retention: float, longest: float
    ) -> None:
        """Begin.

        Args:
            clock: seconds, monotonic.
            grace: seconds that it goes on without a reader, from 0.
            retention: seconds that it is kept without a reader after its end, from 0.
            longest: seconds until it ends, whoever reads it.

        """
        self._clock = clock
        self._grace = grace
        self._retention = retention
        self._longest = longest
        self.created = clock()
        self.state = State.CREATED
        self.outcome: Outcome | None = None
        self.ending: Ending | None = None
        self._unread_since: float | None = self.created
        self._resume: Callable[[], None] | None = None

    # Its source.

    def begin(self) -> None:
        """Take note that its source is asked, unless it has ended before."""
        if self.state is State.CREATED:
            self._enter(State.PRODUCING)

    def hold(self, resume: Callable[[], None]) -> None:
        """Make its source stand still; `resume` is called once when it may go on, or must end."""
        self._enter(State.HELD)
        self._resume = resume

    def release(self) -> None:
        """Let its source go on, if it is held."""
        if self.state is State.HELD:
            self._enter(State.PRODUCING)
            self._let_go()

    def produced(self, outcome: Outcome) -> None:
        """Take note that its source has finished. Only the first time counts."""
        if self.outcome is None and self.ending is None:
            self._enter(State.PRODUCED)
            self.outcome = outcome
            self._let_go()

    # Its readers.

    def read(self) -> None:
        """Take note that somebody reads it."""
        self._unread_since = None

    def unread(self) -> None:
        """Take note that its last reader has gone."""
        self._unread_since = self._clock()

    # Its end.

    def end(self, ending: Ending) -> None:
        """End it. What holds its source lets go of it, so that it is closed."""
        self._enter(State.ENDED)
        self.ending = ending
        if self._unread_since is not None:
            self._unread_since = self._clock()
        self._let_go()

    def forget(self) -> None:
        """Take note that its text is gone."""
        self._enter(State.FORGOTTEN)

    @property
    def due(self) -> float | None:
        """When it expires, or is forgotten after its end; None: not while somebody reads it."""
        if self._unread_since is None:
            return None
        return self._unread_since + (self._grace if self.ending is None else self._retention)

    @property
    def longest_until(self) -> float:
        """When it expires, whoever reads it."""
        return self.created + self._longest

    def _enter(self, state: State) -> None:
        if self.state not in _BEFORE[state]:
            raise RuntimeError(f"a stream that is {self.state.value} cannot be {state.value}")
        self.state = state

    def _let_go(self) -> None:
        if self._resume:
            resume, self._resume = self._resume, None
            resume()
