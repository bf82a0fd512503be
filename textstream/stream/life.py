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
from typing import Any

from textstream.protocol import EndReason, StateName

_BEFORE: dict[StateName, tuple[StateName, ...]] = {
    "producing": ("created", "held"),
    "held": ("producing",),
    "produced": ("producing", "held", "created"),
    "ended": ("produced", "producing", "held", "created"),
    "forgotten": ("ended",),
}
"""From which states each may be entered.

- ``created``: nothing was asked of its source yet.
- ``producing``: its source generates.
- ``held``: its source stands still: readers are behind, or have paused.
- ``produced``: its source has finished; no reader was sent everything yet.
- ``ended``: nothing more will be appended; its text can be read again.
- ``forgotten``: its text is gone.
"""


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

    """

    __slots__ = (
        "_clock",
        "_ended",
        "_grace",
        "_longest",
        "_resume",
        "_retention",
        "_unread_since",
        "created",
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
        self.state: StateName = "created"
        self.outcome: Outcome | None = None
        self._unread_since: float | None = self.created
        self._ended = 0.0
        self._resume: Callable[[], None] | None = None

    def give(self, grace: float, *, age: float | None = None) -> None:
        """Let it go on for `grace` seconds without a reader; it has been there for `age` ones."""
        self._grace = grace
        if age is not None:
            self.created = self._clock() - age

    # Its source.

    def begin(self) -> None:
        """Enter ``producing``: its source is asked, unless it has ended before."""
        if self.state == "created":
            self.state = "producing"

    def hold(self, resume: Callable[[], None]) -> None:
        """Make its source stand still; `resume` is called once when it may go on, or must end."""
        self._enter("held")
        self._resume = resume

    def release(self) -> None:
        """Let its source go on, if it is held."""
        if self.state == "held":
            self._enter("producing")
            self._let_go()

    def finish(self, outcome: Outcome) -> None:
        """Enter ``produced``: its source has finished. Only the first time counts."""
        if self.outcome is None and not self.over:
            self._enter("produced")
            self.outcome = outcome
            if self._resume:
                self._let_go()

    # Its readers.

    def read(self) -> None:
        """Stop the time of grace, or of retention: somebody reads it."""
        self._unread_since = None

    def unread(self) -> None:
        """Begin that time: its last reader has gone."""
        self._unread_since = self._clock()

    # Its end.

    def end(self) -> None:
        """Enter ``ended``. What holds its source lets go of it, so that it is closed."""
        self._enter("ended")
        self._ended = self._clock()
        if self._unread_since is not None:
            self._unread_since = self._clock()
        if self._resume:
            self._let_go()

    def forget(self) -> None:
        """Enter ``forgotten``: its text is gone."""
        self._enter("forgotten")

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in ("ended", "forgotten")

    @property
    def due(self) -> float | None:
        """When it expires, or is forgotten after its end; None: not while somebody reads it.

        After its end it may be read for as long as it could have run: whoever reads at a crawl
        would have it kept for ever.
        """
        if self._unread_since is None:
            if not self.over:
                return None
            return max(self.longest_until, self._ended + self._retention)
        return self._unread_since + (self._retention if self.over else self._grace)

    @property
    def longest_until(self) -> float:
        """When it expires, whoever reads it."""
        return self.created + self._longest

    def _enter(self, state: StateName) -> None:
        if self.state not in _BEFORE[state]:
            raise RuntimeError(f"a stream that is {self.state} cannot be {state}")
        self.state = state

    def _let_go(self) -> None:
        if self._resume:
            resume, self._resume = self._resume, None
            resume()
