"""How many polls are answered in a second: who waits for its turn is answered with more at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from textstream.transport.reactor import Reactor

PER_SECOND = 250.0
"""Polls that are answered in a second, but for full ones.

Measured with 200 clients and 20 characters a second for each: unbounded, gunicorn's 16 threads
answer 980 polls a second, and ``/healthz`` takes 46 ms, 443 at its 99th percentile; with 250, 3 and
89 on the same busy machine. With 400 it is not much more, but half as much again of the processor.
"""

SAVED = 25.0
"""Polls that are answered at once after a time with fewer: ten clients wait for nobody."""

TICK = 0.005
"""Seconds between two looks at who waits, while anybody does."""

Answer = Callable[[], object]


class AnswerPace:
    """Lets so many polls in a second be answered, in the order in which something came for them.

    A poll costs about the same with one packet as with as many as fit. Unbounded, 200 clients with
    a stream each make the server answer one poll for each character, and whoever asks for anything
    else stands behind them. With a bound they are answered a little later, and with what came
    meanwhile. A poll that is full is not kept: later, no more would go with it.

    Any thread. ``_lock`` guards everything; nobody is called while it is held, but to ask whether a
    poll is full.
    """

    def __init__(
        self,
        reactor: Callable[[], Reactor],
        *,
        per_second: float = PER_SECOND,
        saved: float = SAVED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let nobody wait yet.

        Args:
            reactor: that of this process, whose timers it takes.
            per_second: answers.
            saved: answers at once, after a time with fewer.
            clock: seconds that only grow.

        """
        self._per_second = per_second
        self._most = saved
        self._reactor = reactor
        self._clock = clock
        self._lock = threading.Lock()
        self._saved = self._most
        self._counted = clock()  # up to when what is saved was counted
        self._waiting: deque[tuple[Answer, Callable[[], bool]]] = deque()
        self._lifted = False

    @property
    def busy(self) -> bool:
        """Whether who comes now would have to wait."""
        with self._lock:
            return bool(self._waiting) or not self._has_one()

    def count(self) -> None:
        """Count an answer that did not ask, if it can be: nobody waits the longer for it."""
        with self._lock:
            if self._has_one() and not self._waiting:
                self._saved -= 1

    def enter(self, answer: Answer, is_full: Callable[[], bool]) -> None:
        """Call `answer` when it is its turn, maybe at once. The first goes, too, if full.

        Called with any lock held.
        """
        with self._lock:
            waits = not self._lifted and (bool(self._waiting) or not self._has_one())
            if waits:
                self._waiting.append((answer, is_full))
                first = len(self._waiting) == 1
            else:
                self._saved -= 1
        if not waits:
            answer()
        elif first:
            self._reactor().call_later(TICK, self._tick)

    def lift(self) -> None:
        """Let nobody wait from now on."""
        with self._lock:
            self._lifted = True
            waiting = [answer for answer, _ in self._waiting]
            self._waiting.clear()
        for answer in waiting:
            answer()

    def _tick(self) -> None:
        due: list[Answer] = []
        with self._lock:
            while self._waiting:
                answer, is_full = self._waiting[0]
                if self._has_one():
                    self._saved -= 1
                elif not is_full():
                    break
                self._waiting.popleft()
                due.append(answer)
            again = bool(self._waiting)
        for answer in due:
            answer()
        if again:
            self._reactor().call_later(TICK, self._tick)

    def _has_one(self) -> bool:
        """Count what may be answered now. With the lock held."""
        now = self._clock()
        self._saved = min(self._most, self._saved + (now - self._counted) * self._per_second)
        self._counted = now
        return self._saved >= 1
