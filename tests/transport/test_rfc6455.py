"""Our own list of what clients send, right and wrong, each on a connection that was handed over."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from reliability.fuzz.frames import BINARY, CLOSE, PONG, TEXT
from tests.support.timing import patient
from tests.transport.conftest import LocalServer, StartLocal
from tests.transport.raw import RawWebSocket
from tests.transport.rfc6455 import closes, framing, texts
from tests.transport.rfc6455.case import (
    DROPPED,
    INVALID,
    LIMIT,
    LIVES,
    POLICY,
    PROTOCOL_ERROR,
    TOO_BIG,
    Case,
)
from textstream.transport.bounds import Bounds

pytestmark = pytest.mark.live

TIMEOUT = patient(10.0)

NEVER = 3600.0
"""Seconds until the server gives up a peer that does not close: what ends a case is no timer."""

SECTIONS = (
    framing.framing,
    framing.lengths_and_masks_that_are_wrong,
    framing.pings,
    framing.reserved,
    framing.fragmentation,
    framing.sizes_over_the_limit,
    texts.valid,
    texts.invalid,
    closes.codes,
    closes.data_after_close,
)


class Echo:
    """An Engine.IO application that sends messages back, and notes what it got."""

    def __init__(self, server: LocalServer) -> None:
        self._eio = server.socketio.server.eio
        self.handled: dict[str, list[str | bytes]] = defaultdict(list)
        self.gone: dict[str, threading.Event] = defaultdict(threading.Event)
        self._eio.on("message", self._on_message)
        self._eio.on("disconnect", self._on_disconnect)

    def _on_message(self, sid: str, data: Any) -> None:
        self.handled[sid].append(data)
        self._eio.send(sid, data)

    def _on_disconnect(self, sid: str, reason: str) -> None:
        self.gone[sid].set()


@dataclass
class Outcome:
    """What became of a connection, or should have."""

    handled: list[str | bytes]
    echoed: list[str | bytes]
    pongs: list[bytes]
    code: int | None = None
    end: str = "late"
    disconnect_handled: bool = False

    def add(self, opcode: int, payload: bytes) -> None:
        """Note a frame."""
        if opcode == TEXT:
            self.echoed.append(payload[1:].decode())
        elif opcode == BINARY:
            self.echoed.append(payload)
        elif opcode == PONG:
            self.pongs.append(payload)
        elif opcode == CLOSE:
            (self.code,) = struct.unpack("!H", payload[:2])
            payload[2:].decode()  # a reason is UTF-8

    def __str__(self) -> str:
        return ", ".join(f"{name} {value!r:.200}" for name, value in vars(self).items())


def play(case: Case, port: int, echo: Echo) -> Outcome:
    """Send what the case sends, behave well otherwise, and read to the end."""
    ws = RawWebSocket(port)
    ws.sock.settimeout(TIMEOUT)
    # Else each of many small writes would wait for an acknowledgement.
    ws.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sid = json.loads(next(ws.messages())[1:])["sid"]
    # Both are made here: two threads that ask for what is missing may make two of it.
    outcome, gone = Outcome(echo.handled[sid], [], []), echo.gone[sid]
    try:
        for piece in case.sent:
            ws.sock.sendall(piece)
        if case.code is LIVES:
            ws.send("4last")
        for opcode, payload in ws.frames():
            outcome.add(opcode, payload)
            # Whose mistake it was answers the close frame, as clients do.
            if opcode == CLOSE and case.code in {PROTOCOL_ERROR, INVALID, POLICY, TOO_BIG}:
                ws.send_frame("close", payload[:2])
            if case.code is LIVES and payload == b"4last":
                ws.send_frame("close", b"\x03\xe8")
        outcome.end = "RST" if ws.was_reset else "FIN"
        outcome.disconnect_handled = gone.wait(TIMEOUT)
    except OSError as error:  # what is missing in the outcome says more
        outcome.end = type(error).__name__
    finally:
        ws.close()
    return outcome


def due(case: Case, came: Outcome) -> Outcome:
    """Return what should have become of it."""
    messages = list(case.handled)
    if case.code is LIVES:
        messages.append("last")
    # While the connection ends, answers may come too late for it, but not in another order.
    echoed = messages if case.code is LIVES else messages[: len(came.echoed)]
    return Outcome(messages, echoed, list(case.pongs), case.code or 1000, "FIN", True)


@pytest.mark.parametrize("on_front", [False, True], ids=["Werkzeug", "front"])
@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: str(section.__name__))
def test_each_case_ends_as_the_standard_says(
    start_local: StartLocal, section: Callable[[], Iterator[Case]], on_front: bool
) -> None:
    """And its connection with a FIN, by no timer; the disconnect handler has run by then."""
    bounds = Bounds(max_message=LIMIT, max_dropped=DROPPED, closing=NEVER)
    server = start_local(bounds, on_front=on_front)
    echo = Echo(server)
    wrong = []
    for case in section():
        came = play(case, server.port, echo)
        if came != due(case, came):
            wrong.append(f"{case.name}:\n  came {came}\n  due  {due(case, came)}")
    assert not wrong, "\n".join(wrong)
