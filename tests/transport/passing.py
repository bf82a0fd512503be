"""Lets time pass for a server that runs, without waiting for it."""

from __future__ import annotations

import threading

from tests.sources.waiting import LONG
from textstream.transport.reactor import Reactor


def let_pass(reactor: Reactor, seconds: float) -> None:
    """Set the clock of `reactor` forward; return when it has done what was due by then."""
    before, done = reactor.clock, threading.Event()
    reactor.clock = lambda: before() + seconds

    def behind_all_that_is_due() -> None:
        reactor.call_later(0, done.set)

    reactor.call_soon(behind_all_that_is_due)
    assert done.wait(LONG)
