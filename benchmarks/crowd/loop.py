"""Readable sockets and timers, in one thread."""

from __future__ import annotations

import heapq
import itertools
import select
from collections.abc import Callable
from time import perf_counter
from types import TracebackType
from typing import Self

BATCH = 512
"""Sockets that are read before timers are looked at."""


class Loop:
    """An event loop that runs until something is so. A context manager."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._epoll.close()

    def watch(self, fd: int, handler: Callable[[], None], *, writable: bool = False) -> None:
        """Call `handler` whenever `fd` is readable, or else writable; also when it has failed."""
        events = select.EPOLLOUT if writable else select.EPOLLIN
        if fd in self._handlers:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._handlers[fd] = handler

    def forget(self, fd: int) -> None:
        """Watch `fd` no longer; to be called before it is closed."""
        self._epoll.unregister(fd)
        del self._handlers[fd]

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Call `action` at a time of `perf_counter`, 1 ms late at most where all is quick."""
        heapq.heappush(self._timers, (when, next(self._numbers), action))

    def run(self, until: Callable[[], bool], seconds: float) -> bool:
        """Run until something is so, `seconds` at most; return whether it is."""
        deadline = perf_counter() + seconds
        handlers, timers = self._handlers, self._timers
        while not until():
            now = perf_counter()
            if now >= deadline:
                return False
            due = min(timers[0][0], deadline) if timers else deadline
            for fd, _ in self._epoll.poll(max(0.0, due - now), BATCH):
                if handler := handlers.get(fd):  # not closed by one before it in this batch
                    handler()
            now = perf_counter()
            while timers and timers[0][0] <= now:
                heapq.heappop(timers)[2]()
        return True

    def rest(self, seconds: float) -> None:
        """Run for a time."""
        self.run(lambda: False, seconds)
