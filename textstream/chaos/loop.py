"""What the proxy's thread does: take, carry, cut, stall. Knows nothing of other threads."""

from __future__ import annotations

import errno
import heapq
import itertools
import math
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from textstream.chaos.address import Connecting
from textstream.chaos.bucket import TokenBucket
from textstream.chaos.pipe import BUFFER, Pipe
from textstream.chaos.plan import Cut, CutKind, Fault, Passage, Plan

CONNECT_SECONDS = 10.0
"""How long the server has to take a connection."""

OnReady = Callable[[socket.socket, int], None]

PAUSE_SECONDS = 0.5
"""How long no connection is taken when the process may open no more files."""


@dataclass(frozen=True)
class Totals:
    """What a proxy has done so far. Bytes are those that were passed on."""

    connections: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    cuts: int = 0
    stalls: int = 0


@dataclass(frozen=True)
class Effects:
    """What is done to connections; see `ChaosProxy`."""

    plan: Plan
    max_cuts: float
    throttle: float | None
    trickle: int | None
    log: Callable[[str], None]
    clock: Callable[[], float]


class Loop:
    """All connections, served by one thread: call `turn` again and again."""

    def __init__(
        self, listener: socket.socket, waker: socket.socket, upstream: list[Any], effects: Effects
    ) -> None:
        """Take over the listener.

        Args:
            listener: does not block.
            waker: makes `turn` return when it can be read; what it received is dropped.
            upstream: the server's addresses, as `resolve` returns them.
            effects: what to do to connections.

        """
        self.totals = Totals()
        self.held = False
        """Whether new connections are closed at once."""
        self.muted = False
        """Whether new connections are muted from their start."""
        self._listener = listener
        self._waker = waker
        self._upstream = upstream
        self._effects = effects
        self._pipes: dict[Pipe, float] = {}  # with when each is next woken, or infinite
        self._connecting: set[Connecting] = set()
        self._cuts_left = effects.max_cuts
        self._timers: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        self._selector.register(waker, selectors.EVENT_READ, lambda *_: waker.recv(4096))

    def turn(self) -> None:
        """Wait until there is something to do, and do it."""
        timeout = max(0.0, self._timers[0][0] - self._effects.clock()) if self._timers else None
        for key, events in self._selector.select(timeout):
            key.data(key.fileobj, events)
        self.tick()

    def tick(self) -> None:
        """Do what is due by the clock."""
        now = self._effects.clock()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2](now)

    def cut_all(self, kind: CutKind) -> None:
        """Cut the connections that there are."""
        for pipe in list(self._pipes):
            if not pipe.hanging_up:
                self._cut(pipe, kind, self._effects.clock())

    def mute(self, muted: bool) -> None:
        """Drop what comes from the server from now on, or do so no more."""
        self.muted = muted
        for pipe in self._pipes:
            pipe.muted = muted

    def close(self) -> None:
        """Close every socket but the waker."""
        for pipe in self._pipes:
            pipe.close()
        for each in self._connecting:
            each.drop()
            each.client.close()
        self._selector.close()
        self._listener.close()

    def _accept(self, _listener: socket.socket, _events: int) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE}:
                # It would be ready again at once, and again, and the thread do nothing else.
                self._effects.log("no more files can be opened: new connections wait")
                self._watch(self._listener, 0, self._accept)
                self._at(self._effects.clock() + PAUSE_SECONDS, self._accept_again)
            return
        self._count(connections=1)
        if self.held:
            client.close()
            return
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        deadline = self._effects.clock() + CONNECT_SECONDS
        number = self.totals.connections
        pending = Connecting(number, client, self._upstream, buffer=BUFFER, deadline=deadline)
        self._connecting.add(pending)
        self._at(deadline, lambda _now: self._give_up(pending, "no answer"))
        self._connect(pending)

    def _accept_again(self, _now: float) -> None:
        self._watch(self._listener, selectors.EVENT_READ, self._accept)

    def _connect(self, pending: Connecting) -> None:
        try:
            server = pending.try_next()
        except OSError as error:  # no more files can be opened
            self._give_up(pending, error.strerror or str(error))
            return
        if server:
            self._watch(
                server, selectors.EVENT_WRITE, lambda *_: self._connected_or_not(pending, server)
            )
        else:
            self._give_up(pending, pending.error)

    def _connected_or_not(self, pending: Connecting, server: socket.socket) -> None:
        if pending not in self._connecting:
            return
        self._watch(server, 0, None)
        if not pending.succeeded():
            self._connect(pending)
            return
        self._connecting.discard(pending)
        effects, now = self._effects, self._effects.clock()
        pipe = Pipe(
            pending.number,
            pending.client,
            server,
            Passage(effects.plan.faults(pending.number)),
            bucket=None if effects.throttle is None else TokenBucket(effects.throttle, now),
            trickle=effects.trickle,
        )
        pipe.muted = self.muted
        self._pipes[pipe] = math.inf
        self._serve(pipe, None, now)

    def _give_up(self, pending: Connecting, reason: str) -> None:
        if pending not in self._connecting:
            return
        self._connecting.discard(pending)
        self._effects.log(f"connection {pending.number}: the server cannot be reached: {reason}")
        if pending.server:
            self._watch(pending.server, 0, None)
        pending.drop()
        pending.client.close()

    def _serve(self, pipe: Pipe, readable: socket.socket | None, now: float) -> None:
        if pipe not in self._pipes:  # closed by what came before it
            return
        up, down = pipe.up.carried, pipe.down.carried
        try:
            fault = pipe.step(now, readable)
        except OSError:
            # A reset by one side is passed on as that.
            self._close(pipe, "rst")
            return
        finally:
            self._count(bytes_up=pipe.up.carried - up, bytes_down=pipe.down.carried - down)
        if fault:
            self._do(fault, pipe, now)
        self._wait_for(pipe, now)

    def _do(self, fault: Fault, pipe: Pipe, now: float) -> None:
        if isinstance(fault, Cut):
            if self._cuts_left > 0:
                self._cuts_left -= 1
                self._cut(pipe, fault.kind, now)
            return
        self._count(stalls=1)
        length = f"for {fault.seconds:g} s" if math.isfinite(fault.seconds) else "for ever"
        self._effects.log(f"connection {pipe.number}, byte {fault.position}: stalls {length}")
        pipe.stall(now + fault.seconds)

    def _cut(self, pipe: Pipe, kind: CutKind, now: float) -> None:
        self._count(cuts=1)
        position = pipe.passage.position
        self._effects.log(f"connection {pipe.number}, byte {position}: cut with {kind.upper()}")
        if kind == "rst":
            self._close(pipe, "rst")
        else:
            pipe.hang_up(now)
            self._wait_for(pipe, now)

    def _wait_for(self, pipe: Pipe, now: float) -> None:
        if pipe not in self._pipes:
            return
        if pipe.over or pipe.overdue(now):
            self._close(pipe)
            return

        def on_ready(which: socket.socket, events: int) -> None:
            readable = which if events & selectors.EVENT_READ else None
            self._serve(pipe, readable, self._effects.clock())

        for each in pipe.sockets:
            self._watch(each, pipe.interest(each, now), on_ready)
        wake_at = pipe.wake_at(now)
        if wake_at < self._pipes[pipe]:
            self._pipes[pipe] = wake_at
            self._at(wake_at, lambda now: self._wake(pipe, now))

    def _wake(self, pipe: Pipe, now: float) -> None:
        if pipe in self._pipes:
            self._pipes[pipe] = math.inf
            self._serve(pipe, None, now)

    def _close(self, pipe: Pipe, kind: CutKind = "fin") -> None:
        del self._pipes[pipe]
        for each in pipe.sockets:
            self._watch(each, 0, None)
        pipe.close(kind)

    def _watch(self, which: socket.socket, events: int, on_ready: OnReady | None) -> None:
        known = self._selector.get_map().get(which)
        if known is None:
            if events:
                self._selector.register(which, events, on_ready)
        elif not events:
            self._selector.unregister(which)
        elif known.events != events:
            self._selector.modify(which, events, on_ready)

    def _at(self, when: float, action: Callable[[float], None]) -> None:
        heapq.heappush(self._timers, (when, next(self._order), action))

    def _count(self, **more: int) -> None:
        now = {name: getattr(self.totals, name) + count for name, count in more.items()}
        self.totals = replace(self.totals, **now)
