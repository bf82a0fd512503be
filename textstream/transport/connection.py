"""One WebSocket after the handshake: a non-blocking socket, one lock, one outgoing buffer.

Longer than other files, on purpose: reading, writing and closing are one state under one lock, and
each of them may end the others.
"""

from __future__ import annotations

import contextlib
import enum
import logging
import socket
import threading
from collections.abc import Callable

from textstream.access.account import Account, Kind
from textstream.access.caller import NOBODY, Caller
from textstream.threads import ThreadPool
from textstream.transport.assembler import Message
from textstream.transport.bounds import Bounds
from textstream.transport.frames import (
    NORMAL,
    PING_PACKET,
    POLICY_VIOLATION,
    close_frame,
)
from textstream.transport.handoff import reset_on_close, unacknowledged
from textstream.transport.inbox import Inbox
from textstream.transport.large import Large
from textstream.transport.quick import AtOnce
from textstream.transport.reactor import Reactor
from textstream.transport.receiver import Receiver
from textstream.transport.stall import Stall
from textstream.transport.turns import Turns
from textstream.transport.window import Window

logger = logging.getLogger("textstream.transport")

RECEIVE = 8_192
"""Bytes read in a turn. Who has more is read again when the others have had theirs."""


class State(enum.Enum):
    """The life of a connection: forwards only."""

    OPEN = 1
    CLOSING = 2  # our close frame is sent, or about to be; nothing more is written
    CLOSED = 3  # the descriptor is closed


def _ignore(*_: object) -> None: ...


OPEN = State.OPEN  # looking it up in the class takes as long as a lock does


class Connection:
    """Reads in the reactor's thread, handles messages in the pool's, writes in any.

    ``lock`` guards the outgoing buffer and the state. It is held while bytes are
    handed to the kernel, which does not block, and while nothing else is called but the
    reactor's and the pool's methods for any thread.
    """

    __slots__ = (
        "_account",
        "_at_once",
        "_bounds",
        "_clear",
        "_discarded",
        "_half_closed",
        "_held",
        "_inbox",
        "_on_close",
        "_on_message",
        "_out",
        "_reactor",
        "_receiver",
        "_sock",
        "_stall",
        "_state",
        "_writing",
        "lock",
        "window",
    )

    def __init__(
        self,
        sock: socket.socket,
        *,
        reactor: Reactor,
        pool: ThreadPool,
        bounds: Bounds,
        on_message: Callable[[Message], None],
        on_close: Callable[[], None],
        turns: Turns,
        at_once: Callable[[Message | None], bool] | None = None,
        caller: Caller = NOBODY,
        account: Account | None = None,
    ) -> None:
        """Take over `sock`, which must be connected and past the handshake.

        Args:
            sock: owned by the connection from now on.
            reactor: waits for it.
            pool: runs the handlers, one at a time for each connection, in order.
            bounds: what it may cost.
            on_message: called in the pool for each message.
            on_close: called once in the pool, after the last message.
            turns: places of large messages.
            at_once: told a message in the reactor's thread, None in the place of `on_close`:
                handles it there, where that is quick, or returns False.
            caller: who takes them.
            account: bears what is kept for it: what waits to be sent, messages of some size until
                they are handled, and an unfinished one. When all is over, nothing is left in it.

        """
        self._sock = sock
        self._reactor = reactor
        self._at_once = at_once
        self._inbox = Inbox(
            pool,
            bounds,
            on_message=self._handle,
            on_end=self._end,
            at_once=AtOnce(self._handle_at_once, reactor).take if at_once else None,
            account=account,
        )
        self._receiver = Receiver(
            self,
            self._inbox,
            reactor=reactor,
            bounds=bounds,
            turns=turns,
            caller=caller,
            account=account,
        )
        self._account = account
        self._bounds = bounds
        self._on_message = on_message
        self._on_close = on_close
        self.lock = threading.Lock()
        self._state = State.OPEN
        self._out = bytearray()
        self._held: bytearray | None = None  # what is written while it is corked
        self._clear = True  # whether it is open and nothing waits, in one place
        self._writing = False  # whether the reactor waits for writability
        self.window = Window()
        self._stall = Stall(bounds.stall, reactor, self._check_stall)
        self._discarded = 0  # bytes that came after our close frame
        self._half_closed = False  # whether the peer has sent its FIN, and waits for what waits

    def start(self, data: bytes = b"") -> None:
        """Begin to read, behind `data` that has come already."""
        if self._reactor.is_current:
            self._begin(data)
        else:
            self._reactor.call_soon(lambda: self._begin(data))

    def _begin(self, data: bytes) -> None:
        if self._state is OPEN:
            self._reactor.watch(self._sock, self, read=True, write=self._writing)
            if data:
                self._receiver.feed(data)
        else:
            self.watch()

    @property
    def over(self) -> bool:
        """Whether both have said goodbye, so that nobody loses anything if it ends now."""
        return self._receiver.over and not self._out

    @property
    def settled(self) -> bool:
        """Whether nothing waits to be sent."""
        return not self._out

    @property
    def ready(self) -> bool:
        """Whether units may be written: all went, and the client has come to most of it."""
        return self._clear and self.window.open

    def write_units(self, data: bytes, *, before: bytes = b"", after: bytes = b"") -> None:
        """Write frames of units, and now and then a ping that tells when the client has them.

        In one send with the frames `before` and `after` them, which the window does not count.
        """
        if self.window.sent(len(data)):
            self.window.ping()
            data += PING_PACKET
        self.write(before + data + after)
        if not self.window.open:
            with self.lock:
                self._stall.begin()

    def announce(self, size: int) -> None:
        """Count bytes of units that will be offered soon; send a ping first if it is time.

        They must leave the window open: no ping is behind them.
        """
        if self.window.sent(0):
            self.window.ping()
            self.write(PING_PACKET)
        self.window.sent(size)

    def confirm(self) -> bool:
        """Open the window by a pong: the client has come to what was sent before the ping.

        Return whether there was a ping. A pong that nobody asked for means nothing.
        """
        asked = self.window.pong()
        # Or a client that answers without reading would never be found out.
        if asked and not self._out:
            self._stall.moved()
        return asked

    def offer(self, data: bytes) -> bool:
        """Write frames, with `lock` held, if nothing waits; return whether the kernel took any."""
        if not self._clear or self._held is not None:
            return False
        try:
            sent = self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self._break()
            return False
        if sent < len(data):
            self._keep(data[sent:])
        return True

    def write(self, data: bytes) -> None:
        """Write frames, in order. What the kernel does not take waits.

        A peer for which too much waits is closed; nothing is raised.
        """
        with self.lock:
            if self._state is not OPEN:
                return
            self._send(data)
            if self._out:
                self._bound(len(data))

    def write_last(self, data: bytes) -> None:
        """Write frames when all that is ready now has been handled; in another thread, now.

        Of many clients that are answered in a turn the first is woken by what it is sent, and looks
        for more until the last has its own: each alone would be woken, which costs the sender 5 to
        10 µs.
        """
        if not self._reactor.is_current:
            self.write(data)
            return
        with self.lock:
            if self._state is not OPEN:
                return
            if self._held is None:
                self._held = bytearray()
                self._reactor.call_last(self.uncork)
            self._held += data

    def cork(self) -> None:
        """Keep what is written, by whomever, until `uncork`: it goes in one send."""
        with self.lock:
            if self._held is None:
                self._held = bytearray()

    def uncork(self) -> None:
        """Send what was written since `cork`."""
        with self.lock:
            held, self._held = self._held, None
            if held and self._state is not State.CLOSED:
                self._send(held)
                if self._out and self._state is OPEN:
                    self._bound(len(held))

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Send a close frame after what waits; handle nothing more; wait a while for the answer."""
        with self.lock:
            if self._state is not OPEN:
                return
            self._send(close_frame(code, reason))
            if self._state is OPEN:  # or it is broken off already: sending failed
                self._state, self._clear = State.CLOSING, False
                self._reactor.call_soon(self._leave)
                self._reactor.call_later(self._bounds.closing, self._shut)

    def break_off(self) -> None:
        """Close without a word, soon: something has failed."""
        with self.lock:
            self._held = None
            if self._state is not State.CLOSED:
                self._break()

    # In the reactor's thread.

    def on_ready(self, readable: bool, writable: bool) -> None:
        """Read and write what there is."""
        if writable and (self._out or not readable):  # an end comes as both, and is read
            self._flush()
        if readable:
            self._receive()

    def watch(self) -> None:
        """Look again whether the socket is to be read, and to be written."""
        if self._state is not State.CLOSED:
            self._reactor.watch(
                self._sock,
                self,
                read=not self._half_closed and self._receiver.open,
                write=self._writing,
            )

    def _flush(self) -> None:
        with self.lock:
            if self._state is State.CLOSED:
                return
            try:
                sent = self._sock.send(self._out)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                self._break()
                return
            if sent:
                del self._out[:sent]
                self._count(-sent)
                self._stall.moved()
                self._receiver.intake.outgoing(len(self._out))
            if self._out:
                return
            self._writing = False
            self._clear = self._state is OPEN
        if self._half_closed:
            self._shut()
        else:
            self.watch()
            self.end_writing()

    def _receive(self) -> None:
        try:
            data = self._sock.recv(RECEIVE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._peer_ended()
        elif self._state is not OPEN:
            self._after_close(data)
        else:
            self._receiver.feed(data)

    def _handle(self, message: Message) -> None:
        """Pass a message on, in a worker."""
        large = message if isinstance(message, Large) else None
        try:
            # Here, and not when its last frame came: 20 ms are too long for the reactor.
            self._on_message(large.measured(self._bounds) if large else message)
        finally:
            if large and large.ticket:
                large.ticket.leave()
            self._receiver.handled()

    def _handle_at_once(self, message: Message | None) -> bool:
        """Pass a message on in the reactor's thread, or the end; return whether it was quick."""
        if self._at_once is None or not self._at_once(message):
            return False
        if message is None:
            self._let_go()
        else:
            self._receiver.handled()
        return True

    def _end(self) -> None:
        """Say in a worker that it is over."""
        try:
            self._on_close()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Let go of what points back here.

        Else each connection that has gone would wait for the collector of cyclic garbage, which
        stops everybody when it comes.
        """
        self._on_message = self._on_close = _ignore
        self._at_once = None
        self._inbox.close()

    def _leave(self) -> None:
        """Handle nothing more: what the peer sends from now on only ends the connection."""
        self._inbox.put(None)
        self._receiver.leave()
        self.watch()
        self.end_writing()

    def end_writing(self) -> None:
        """Let a FIN follow our close frame, if nothing that makes sense is awaited any more.

        The server ends TCP first (RFC 6455, 7.1.1): the peer waits for it. Only our half of it: to
        close the socket with bytes unread would reset the connection, and the peer might never see
        our close frame.
        """
        if self._state is State.CLOSING and self._receiver.over and not self._out:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)

    def _after_close(self, data: bytes) -> None:
        """Throw away what comes after our close frame; look for the peer's own, if it may come.

        One that goes on sending is not listened to for ever.
        """
        self._discarded += len(data)
        if self._discarded > self._bounds.max_dropped:
            self._shut()
        else:
            self._receiver.feed(data)

    def _peer_ended(self) -> None:
        """End with the peer's FIN, but not before a peer that said goodbye was sent what waits."""
        if self._state is State.CLOSING and self._out:
            self._half_closed = True
            self.watch()
        else:
            self._shut()

    def _shut(self) -> None:
        with self.lock:
            if self._state is State.CLOSED:
                return
            self._state, self._clear = State.CLOSED, False
            self._count(-len(self._out))
            self._out.clear()
        self._reactor.forget(self._sock)
        self._receiver.close()
        self._stall.close()
        self._sock.close()
        self._inbox.put(None)

    # With the lock held.

    def _send(self, data: bytes | bytearray) -> None:
        if self._held is not None:
            self._held += data
            return
        if self._out:
            self._out += data
            self._count(len(data))
            return
        try:
            sent = self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self._break()
            return
        if sent < len(data):
            self._keep(data[sent:])

    def _bound(self, written: int) -> None:
        """Bear in mind that something waits; seldom needed: `_flush` tells when it is gone."""
        waiting = len(self._out)
        self._receiver.intake.outgoing(waiting)
        if waiting > self._bounds.max_buffered + written:  # one write may be larger than all may be
            self._give_up(f"{waiting} bytes wait for it")

    def _keep(self, data: bytes | bytearray) -> None:
        """Let `data` wait until the kernel takes it."""
        self._clear = False
        self._out += data
        self._count(len(data))
        self._stall.begin()
        if not self._writing:
            self._writing = True
            self._reactor.call_soon(self.watch)

    def _count(self, more: int) -> None:
        """Put into the account what waits to be sent; of what the kernel takes at once, nothing."""
        if self._account and more:
            self._account.add(Kind.OUTGOING, more)

    def _give_up(self, why: str) -> None:
        logger.warning("closed a reader that is too slow: %s", why)
        if self._out or unacknowledged(self._sock):
            reset_on_close(self._sock)  # nothing gets through any more
        else:
            with contextlib.suppress(OSError):  # it learns why, should it read one day
                self._sock.send(close_frame(POLICY_VIOLATION, "Reads too slowly"))
        self._break()

    def _break(self) -> None:
        """Write no more, and close as soon as the reactor comes to it."""
        self._state, self._clear = State.CLOSING, False
        self._reactor.call_soon(self._shut)

    def _check_stall(self) -> None:
        with self.lock:
            # One that is being closed need not confirm anything: another timer ends it.
            unconfirmed = self._state is OPEN and not self.window.open
            if self._stall.lasts(bool(self._out) or unconfirmed):
                self._give_up(f"it took nothing for {self._bounds.stall:g} s")
