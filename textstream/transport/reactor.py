"""One thread that waits for all sockets and timers."""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

from textstream.loggable import log_exception
from textstream.observe.figures import SECONDS, Buckets, Histogram
from textstream.transport.guest import SHARE, Guest, LongTurns
from textstream.transport.poller import Handler, new_poller

logger = logging.getLogger("textstream.transport")

Callback = Callable[[], object]

BRIEF = SECONDS[0]
"""Seconds below which a turn is counted, and no more: it is in the lowest bucket."""


class Timer:
    """A call in the future that can be cancelled."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callback) -> None:
        self.when = when
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        """Do not call. What the callback holds is let go of at once."""
        self.callback = None


class Reactor:
    """Runs callbacks for sockets and timers in one daemon thread, which starts on first use.

    ``_lock`` guards ``_calls`` and ``_timers``; nothing is called while it is held. The poller
    is touched by the reactor's thread alone.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._calls: deque[Callback] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._last: list[Callback] = []
        self._order = itertools.count()
        self._poller = new_poller()
        self._waker, self._wakened = socket.socketpair()
        self._waker.setblocking(False)
        self._wakened.setblocking(False)
        self._poller.watch(self._wakened, self, read=True, write=False)
        self.turns = 0
        """How often it has come round: what is bounded by turns goes by it."""
        self._thread: threading.Thread | None = None
        self._ident = 0  # of the thread
        self._awake = False
        self._closed = self._freed = False
        self._guest: Guest | None = None
        self._asks = math.inf  # when the guest is asked again, within a turn
        self._given = 0.0  # seconds that it had of this turn
        self._turns_taken = LongTurns()
        self._brief_turns, self._brief_seconds = 0, 0.0
        self.late = Histogram()
        """Seconds by which it came late to the first of the timers that were due in a turn."""

    def turn_seconds(self) -> tuple[Buckets, float]:
        """Return what its turns took, as a histogram, and in all. Any thread."""
        return self._turns_taken.seconds.read(self._brief_turns, self._brief_seconds)

    @property
    def running(self) -> bool:
        """Whether its thread runs, in this process."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_current(self) -> bool:
        """Whether whoever asks runs in its thread."""
        return threading.get_ident() == self._ident  # the thread itself takes three calls

    def call_soon(self, callback: Callback) -> None:
        """Call `callback` in the reactor's thread. Any thread."""
        with self._lock:
            self._calls.append(callback)
            self._start()
        self._wake()

    def call_later(self, delay: float, callback: Callback) -> Timer:
        """Call `callback` in the reactor's thread in `delay` seconds. Any thread."""
        timer = Timer(self.clock() + delay, callback)
        with self._lock:
            first = not self._timers or timer.when < self._timers[0][0]
            heapq.heappush(self._timers, (timer.when, next(self._order), timer))
            self._start()
        if first:
            self._wake()
        return timer

    def call_last(self, callback: Callback) -> None:
        """Call `callback` when all that is ready was handled. The reactor's thread, in a handler.

        Before the guest has its turn, if that is earlier.
        """
        self._last.append(callback)

    def host(self, guest: Guest) -> None:
        """Give `guest` its turns, in the reactor's thread. It is not asked before it is woken."""
        self._guest = guest
        self.wake()

    def wake(self) -> None:
        """Ask the guest again how long it waits. Any thread, any lock held."""
        if self._thread is None:
            with self._lock:
                self._start()
        self._wake()

    def watch(self, sock: socket.socket, handler: Handler, *, read: bool, write: bool) -> None:
        """Call `handler` when `sock` is ready. The reactor's thread only."""
        self._poller.watch(sock, handler, read=read, write=write)

    def forget(self, sock: socket.socket) -> None:
        """Do not watch `sock` any more. The reactor's thread only, before it is closed.

        Of one that is closed it does nothing.
        """
        if sock.fileno() >= 0:
            self._poller.forget(sock)

    def settle(self, deadline: float) -> None:
        """Wait until it has made the calls it was asked for so far, or for ``time.monotonic``."""
        if self.running:
            done = threading.Event()
            self.call_soon(done.set)
            done.wait(max(0.0, deadline - time.monotonic()))

    def close(self, timeout: float = 5.0) -> None:
        """End the thread, free its descriptors, close what is watched. Again, it does nothing.

        Args:
            timeout: seconds that it waits for the thread. One that is at something for longer
                frees what is its own when it is through: freed before, a callback that ends
                connections would fail at the first.

        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            thread = self._thread
        self._wake()
        if thread and thread is not threading.current_thread():
            thread.join(timeout)
        if not self.running:
            self._free()

    def _free(self) -> None:
        with self._lock:
            if self._freed:
                return
            self._freed = True
        for sock in self._poller.sockets():
            sock.close()
        self._poller.close()
        self._waker.close()
        self._wakened.close()

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="reactor", daemon=True)
            self._thread.start()

    def _wake(self) -> None:
        if self._awake or threading.get_ident() == self._ident:
            return
        self._awake = True
        try:
            self._waker.send(b"\0")
        except OSError:
            return  # full: it is awake anyway; closed: there is nobody to wake

    def _run(self) -> None:
        self._ident = threading.get_ident()
        try:
            while not self._closed:
                self._turn()
        finally:
            self._free()
            self._ident = 0  # the next thread may have the same

    def _turn(self) -> None:
        # On its own, so that nothing keeps what has gone while the next turn waits.
        ready = self._poller.poll(self._timeout())
        self.turns += 1
        began = self.clock()
        self._given = 0.0
        self._asks = began + SHARE if self._guest else math.inf
        for handler, readable, writable in ready:
            try:  # not by `_guarded`: a call more for each socket
                handler.on_ready(readable, writable)
            except Exception as error:  # noqa: BLE001 (of whatever kind)
                _tell_failure(error)
            if self.clock() >= self._asks:
                self._ask_guest()
        if self._last:
            self._finish()
        due = self._due()
        for callback in due:
            self._guarded(callback)
            if self.clock() >= self._asks:
                self._ask_guest()
        if self._last:
            self._finish()
        ended = self._ask_guest() if self._guest else self.clock()
        if (taken := ended - began) < BRIEF:
            self._brief_turns += 1  # nearly all: where few read, two calls are 2 % of a unit's cost
            self._brief_seconds += taken
        else:
            self._turns_taken.note(began, ended, len(ready), len(due), self._given)

    def _finish(self) -> None:
        """Do what was left for when the others had been handled."""
        last, self._last = self._last, []
        for callback in last:
            try:
                callback()
            except Exception as error:  # noqa: BLE001 (of whatever kind)
                _tell_failure(error)

    def _ask_guest(self) -> float:
        """Let the guest do what is due; return what time it is then."""
        assert self._guest  # noqa: S101 (for the type checker)
        if self._last:
            self._finish()
        began = self.clock()
        self._guarded(self._guest.turn)
        now = self.clock()
        self._given += now - began
        self._asks = now + SHARE
        return now

    def on_ready(self, readable: bool, writable: bool) -> None:  # noqa: ARG002 (a handler's)
        """Note that it was woken: it is the handler of its own socket."""
        try:
            while self._wakened.recv(4096):
                pass
        except OSError:
            pass
        # After the bytes were read and before the calls are taken: whoever finds it still set
        # has added a call that is about to be taken.
        self._awake = False

    def _timeout(self) -> float | None:
        with self._lock:
            if self._calls:
                return 0
            timeout = max(0.0, self._timers[0][0] - self.clock()) if self._timers else None
        wait = self._guest.wait() if self._guest else None
        if wait is None or (timeout is not None and timeout < wait):
            return timeout
        return max(0.0, wait)

    def _due(self) -> list[Callback]:
        now = self.clock()
        with self._lock:
            due = list(self._calls)
            self._calls.clear()
            if self._timers and self._timers[0][0] <= now:
                self.late.observe(now - self._timers[0][0])
            while self._timers and self._timers[0][0] <= now:
                timer = heapq.heappop(self._timers)[2]
                if timer.callback:
                    due.append(timer.callback)
        return due

    @staticmethod
    def _guarded(callback: Callable[[], object]) -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001 (of whatever kind)
            _tell_failure(error)


def _tell_failure(error: Exception) -> None:
    log_exception(logger, "a callback of the reactor failed", error=error)
