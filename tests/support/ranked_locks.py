"""Locks that know their place: taking one out of order raises, whether or not it ends badly.

A deadlock needs two threads and bad luck; a wrong order needs one thread and is always wrong.
`install` gives every lock that the server's code makes a rank, by the class that makes it. The
tests' own process has them (``tests/conftest.py``), and so has the server that tests share
(``tests/support/ranked/sitecustomize.py``). Nothing of this is in the product.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

ORDER = (
    ("LocalModel", "OpenAIClient", "StoreDirectory"),
    ("Reader",),
    ("LiveFeed",),
    ("Stream",),
    ("Keeper",),
    ("MetricsPort", "Server", "Transport", "_Worker"),
    ("Counter", "Members", "Works"),
    ("HeldBack",),
    ("SessionQueue",),
    ("AnswerPace",),
    ("Connection",),
    ("MemoryLog", "ListLog"),
    ("Clients",),
    ("Holding",),
    ("Slots", "WaitingStreams"),
    ("Account", "Authorizer", "Expiries", "Gate", "Rates", "Refusals", "Revocations"),
    ("Arrivals", "CancelToken", "Delay", "Farewells", "Resumption", "Shared", "Wait", "Window"),
    ("Inbox", "Reactor"),
    ("Bus",),
    ("Dispatcher", "Link", "ThreadPool"),
    ("ThreadSafeManager",),
    ("Counts",),
    ("LinesHandler",),
)
"""What makes locks, outermost first. Of those in one row none is taken under another."""

RANKS = {name: rank for rank, row in enumerate(ORDER) for name in row}

UNRANKED = ("textstream.client", "textstream.chaos", "textstream.cli")
"""Rooms in which no lock is ever held while another is taken, or that are no part of the server."""

_held = threading.local()


class WrongOrder(AssertionError):
    """A lock was taken while one was held that comes after it."""


def _stack() -> list[RankedLock]:
    stack: list[RankedLock] | None = getattr(_held, "stack", None)
    if stack is None:
        stack = _held.stack = []
    return stack


class RankedLock:
    """A lock of the class `name`, or what a `Condition` needs of one."""

    def __init__(self, name: str, lock: Any, *, reentrant: bool) -> None:
        self.name = name
        self.rank = RANKS[name]
        self._lock = lock
        self._reentrant = reentrant

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        stack = _stack()
        if blocking and not (self._reentrant and self in stack):
            for other in stack:
                if other.rank >= self.rank:
                    raise WrongOrder(f"the lock of {self.name} under that of {other.name}")
        taken: bool = self._lock.acquire(blocking, timeout)
        if taken:
            stack.append(self)
        return taken

    def release(self) -> None:
        self._lock.release()
        stack = _stack()
        if self in stack:  # a lock may be released by another thread than the one that took it
            stack.reverse()
            stack.remove(self)
            stack.reverse()

    def locked(self) -> bool:
        return bool(self._lock.locked())

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def held() -> list[str]:
    """Return the classes whose locks this thread holds, outermost first."""
    return [lock.name for lock in _stack()]


def _maker(frame: FrameType) -> str | None:
    """Return what of ours makes a lock in `frame`; None: it is no lock of the server's."""
    module = str(frame.f_globals.get("__name__", ""))
    ours = module.startswith("textstream.") or module == "tests.support.list_log"
    if not ours or module.startswith(UNRANKED):
        return None
    made = type(frame.f_locals.get("self"))
    for maker in made.__mro__:
        if maker.__name__ in RANKS:
            return maker.__name__
    if frame.f_code.co_name in RANKS:
        return frame.f_code.co_name
    raise WrongOrder(f"{frame.f_code.co_qualname} of {module} makes a lock: give it a place")


class Ranking:
    """Makes locks, in the place of `threading.Lock` or `threading.RLock`."""

    def __init__(self, make: Callable[[], Any], *, reentrant: bool) -> None:
        self._make = make
        self._reentrant = reentrant

    def __call__(self) -> Any:
        maker = _maker(sys._getframe(1))
        if maker is None:
            return self._make()
        return RankedLock(maker, self._make(), reentrant=self._reentrant)


def install() -> None:
    """Rank the locks that are made from now on."""
    if not isinstance(threading.Lock, Ranking):
        threading.Lock = Ranking(threading.Lock, reentrant=False)  # type: ignore[assignment]
        threading.RLock = Ranking(threading.RLock, reentrant=True)  # type: ignore[assignment]
