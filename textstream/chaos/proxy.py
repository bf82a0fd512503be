"""The proxy as its users see it: a thread of its own, which methods of any thread speak to."""

from __future__ import annotations

import math
import queue
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from textstream.chaos.address import Address, format_address, listen, resolve
from textstream.chaos.loop import Effects, Loop, Totals
from textstream.chaos.plan import CutKind, Plan, ScriptedPlan

_POLL_SECONDS = 0.1


class ChaosProxy:
    """Forwards TCP connections to a server and, as a plan has it, cuts and stalls them.

    It takes connections from its making to `close`, on a thread of its own. All methods may be
    called from any thread but that one.
    """

    def __init__(
        self,
        to: Address,
        *,
        listen_on: Address = ("127.0.0.1", 0),
        plan: Plan | None = None,
        max_cuts: int | None = None,
        throttle: float | None = None,
        trickle: int | None = None,
        log: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Listen, and begin to forward.

        Args:
            to: host and port of the server. Its name is looked up once, now.
            listen_on: host and port to listen on; port 0 picks a free one.
            plan: the faults; None: none.
            max_cuts: how many cuts of the plan are made in all, 0 or more; None: all of them.
            throttle: bytes per second to each client, above 0; None: as fast as it goes.
            trickle: the most bytes of one write, either way, at least 1; None: no limit.
            log: is given one line for each fault, and for each connection that the server has
                not taken. Called on the proxy's thread; must not raise.
            clock: seconds; must not run backwards.

        Raises:
            OSError: it cannot listen there, or the name of the server is not known.
            ValueError: a number is out of its range.

        """
        if throttle is not None and not throttle > 0:
            raise ValueError("throttle: more than 0 bytes per second")
        if trickle is not None and trickle < 1:
            raise ValueError("trickle: 1 byte or more")
        effects = Effects(
            plan=plan or ScriptedPlan(),
            max_cuts=math.inf if max_cuts is None else max_cuts,
            throttle=throttle,
            trickle=trickle,
            log=log or (lambda _line: None),
            clock=clock,
        )
        upstream = resolve(to)
        listener = listen(listen_on)
        self.address: Address = listener.getsockname()[:2]
        """Host and port it listens on."""
        self._actions: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._loop = Loop(listener, self._woken, upstream, effects)
        self._thread = threading.Thread(target=self._run, name="chaos proxy", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.address[1]

    @property
    def url(self) -> str:
        """Its address for HTTP clients."""
        return f"http://{format_address(self.address)}"

    @property
    def totals(self) -> Totals:
        """What it has done so far."""
        return self._loop.totals

    def cut_all(self, kind: CutKind = "rst") -> None:
        """Cut the connections that there are, and return when it is done.

        They count as cuts, but not towards ``max_cuts``.
        """
        self._on_thread(lambda: self._loop.cut_all(kind))

    def hold(self) -> None:
        """Close each new connection at once, until `release`."""
        self._loop.held = True

    def release(self) -> None:
        """Take connections again."""
        self._loop.held = False

    def mute(self) -> None:
        """Swallow what the server says, until `unmute`; what clients say still reaches it.

        What is swallowed is lost: as when a network fails in one direction, and an answer is
        missing while the request was carried out. A client that was in the middle of a message
        cannot go on after it; follow up with `cut_all`. Returns when it is so.
        """
        self._on_thread(lambda: self._loop.mute(True))

    def unmute(self) -> None:
        """Carry both ways again, from here on."""
        self._on_thread(lambda: self._loop.mute(False))

    def wake(self) -> None:
        """Do what is due by the clock, and return then: for a clock that is moved by hand."""
        self._on_thread(self._loop.tick)

    def wait(self) -> None:
        """Wait until somebody closes it."""
        self._closed.wait()

    def close(self) -> None:
        """Close every connection and end the thread. Doing it again does nothing."""
        self._closed.set()
        self._wake_thread()
        self._thread.join()

    def __enter__(self) -> ChaosProxy:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def _on_thread(self, action: Callable[[], None]) -> None:
        done = threading.Event()

        def run() -> None:
            action()
            done.set()

        self._actions.put(run)
        self._wake_thread()
        while not done.wait(_POLL_SECONDS) and self._thread.is_alive():
            pass  # closed meanwhile: nothing is left to act on

    def _wake_thread(self) -> None:
        with suppress(OSError):  # full: it is awake anyhow; closed: it has ended
            self._waker.send(b"x")

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                self._loop.turn()
                while not self._actions.empty():
                    self._actions.get()()
        finally:
            self._closed.set()
            self._loop.close()
            self._waker.close()
            self._woken.close()
