"""The bodies of polling requests: how many packets, how large, and how many in a second."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import parse_qs

from engineio.exceptions import ContentTooLongError

from textstream.access.gate import Ticket
from textstream.transport.bounds import LARGE, Bounds, OnOversized
from textstream.transport.large import Large
from textstream.transport.opening import plain_socket_of
from textstream.transport.packets import MalformedPacketError
from textstream.transport.poll_window import STANDSTILL
from textstream.transport.polls import CHUNK, content_length
from textstream.transport.rate import Rate
from textstream.transport.reactor import Timer
from textstream.transport.waits import QueueWait, TurnWait, Wait

SEPARATOR = b"\x1e"
"""Between the packets of a request (Engine.IO 4)."""

READ = "textstream.read"
"""In the environ of a request whose body was read, or begun to be."""

CallLater = Callable[[float, Callable[[], None]], Timer]

FEW, SHORT = 16, 4.0
"""Packets of a request that waits less, and its seconds.

python-engineio's client sends no more in one, and gives it up after 5 s. Others wait for good.
"""

TOO_SLOW = "too much waits for its polls: poll while you send"
"""What a client is told that asks for more than it fetches."""


def length_of(environ: dict[str, Any], most: int) -> int:
    """Return the bytes of a request's body.

    Raises:
        ContentTooLongError: they are more than `most`.
        ValueError: that is no number, or a negative one.

    """
    size = int(environ.get("CONTENT_LENGTH") or "0")
    if size < 0:  # or it would be read until its client ends the connection
        raise MalformedPacketError("a negative Content-Length")
    if size > most:
        raise ContentTooLongError
    return size


def read(environ: dict[str, Any], size: int, seconds: float, call_later: CallLater) -> bytearray:
    """Read `size` bytes of a body, within so many seconds where its socket can be had.

    Raises:
        MalformedPacketError: it took longer, or ended before.

    """
    environ[READ] = True
    stream, sock = environ["wsgi.input"], plain_socket_of(environ)
    if sock is None:
        return bytearray(stream.read(size))
    # Not the socket's own time-out: a client that sends a byte now and then would never meet it.
    timer = call_later(seconds, lambda: end_reading(sock))
    try:
        body = bytearray(stream.read(size))
    finally:
        timer.cancel()
    if len(body) < size:
        raise MalformedPacketError(f"the body ended early, or took longer than {seconds:g} s")
    return body


def end_reading(sock: socket.socket) -> None:
    """Let whoever reads find the end."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RD)


def dismiss(environ: dict[str, Any]) -> None:
    """Wait for nothing more of a request that was refused before its body was read.

    gunicorn waits 5 s for it in its thread, and 2 s more in the only one that takes connections:
    forty such clients kept it for a minute. What is there already is read, so that the connection
    does not end with a reset, which may overtake the answer.
    """
    sock, left = plain_socket_of(environ), content_length(environ)
    if sock is None or READ in environ or left <= 0 or "gunicorn.socket" not in environ:
        return
    with suppress(OSError):
        while left > 0 and (data := sock.recv(CHUNK, socket.MSG_DONTWAIT)):
            left -= len(data)
    end_reading(sock)


def split(body: bytearray, most_packets: int) -> list[bytearray]:
    """Return the packets of a body as they came.

    Raises:
        MalformedPacketError: there are too many.
        UnicodeDecodeError: that of a client that polls by scripts is no UTF-8.

    """
    if body.startswith(b"d="):  # as old browsers did
        body = bytearray(parse_qs(body.decode()).get("d", [""])[0].encode())
    if body.count(SEPARATOR) >= most_packets:  # before 2 MB of separators are two million objects
        raise MalformedPacketError(f"more than {most_packets} packets")
    return body.split(SEPARATOR)


def measured(
    sid: str, packets: list[bytearray], bounds: Bounds, on_oversized: OnOversized
) -> Iterator[str | Large]:
    """Yield the packets that may be parsed, in order, and empty the list.

    Of the others, tell `on_oversized`. A large one stays as it came, as on a WebSocket.

    Raises:
        MalformedPacketError: a binary packet is too large: nobody could be answered.
        UnicodeDecodeError: a packet is no UTF-8.

    """
    small = LARGE if bounds.max_plain is None else min(LARGE, bounds.max_plain)
    packets.reverse()
    while packets:  # a large one is not kept longer than it takes
        packet = packets.pop()
        if len(packet) <= small:
            yield packet.decode()
        elif packet[:1] == b"b":
            _check_binary(len(packet) * 3 // 4, bounds)
            yield packet.decode()
        elif isinstance(large := Large(packet, is_text=True).measured(bounds), Large):
            yield large
        else:
            on_oversized(sid, large.head, large.size, large.limit)


def _check_binary(size: int, bounds: Bounds) -> None:
    most = bounds.max_plain
    if most is not None and size > most:
        raise MalformedPacketError(f"a binary message of {size} bytes, at most {most} are allowed")


def receive(session: Any, environ: dict[str, Any]) -> Iterator[Wait]:
    """Handle the packets of a request to `session`, one after the other; yield what it waits for.

    Large bodies take turns with large messages on WebSockets: until the last large packet in them
    is handled, for of many small ones little is kept.

    Raises:
        ContentTooLongError: see `length_of`.
        ValueError: it is malformed in some way; the session is to be closed.

    """
    shared, bounds = session.shared, session.shared.bounds
    size = length_of(environ, session.server.max_http_buffer_size)
    with ExitStack() as place:
        if size > LARGE:
            yield (turn := TurnWait(session, bounds.stall))
            place.callback(_place_of(turn).leave)
        packets = split(
            read(environ, size, bounds.unfinished, shared.call_later), bounds.max_packets
        )
        last = max((n for n, one in enumerate(packets) if len(one) > LARGE), default=-1)
        behind = len(packets) - 1 - last  # the last large one
        patience = Patience(session, SHORT if len(packets) <= FEW else bounds.stall)
        for packet in measured(session.sid, packets, bounds, shared.on_oversized):
            if len(packets) < behind:
                place.close()
            yield from patience.waits()
            if session.cut_off:
                raise MalformedPacketError(TOO_SLOW)
            if session.closed:
                return
            session.take(packet)


def _place_of(turn: TurnWait) -> Ticket:
    ticket = turn.ticket
    if ticket is None:
        raise MalformedPacketError("too many large messages at a time. Send this one later")
    return ticket


class Patience:
    """How long one request waits: never for good, for it may hold a thread of the WSGI server."""

    __slots__ = ("_left", "_session")

    def __init__(self, session: Any, seconds: float) -> None:
        """Wait for polls of `session` so long in all."""
        self._session = session
        self._left = seconds

    def waits(self) -> Iterator[Wait]:
        """Wait while too many packets came in this second, or too many answers wait for polls.

        Not for the answers of one who does not poll: they are kept up to their bound, and then the
        session is closed.
        """
        session, queue, bounds = self._session, self._session.queue, self._session.shared.bounds
        rate = session.rate = session.rate or Rate(bounds.events_per_second)
        while not session.closed and (delay := rate.delay()):
            yield QueueWait(session, delay, lambda: session.closed)
        enough = bounds.max_buffered // 4
        if queue.nbytes > enough and queue.polls and self._left > 0:
            begun = time.monotonic()
            most = min(self._left, STANDSTILL)
            yield QueueWait(session, most, lambda: session.closed or queue.nbytes <= enough)
            self._left -= time.monotonic() - begun
