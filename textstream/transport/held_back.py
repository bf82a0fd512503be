"""Packets for a namespace that a client is about to be in."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

_HEAD = re.compile(r"([0-6])(?:(\d+)-)?(/[^,]*)?")
_CONNECT, _CONNECT_ERROR = "0", "4"

Send = Callable[[Any], None]


class HeldBack:
    """What a connect handler emits, until its client has been told that it is connected.

    python-socketio answers a CONNECT when the handler has returned, so that what the handler has
    emitted overtakes the answer; the reference server answers first. Clients have to expect
    events before they are connected, and not all do. When the CONNECT is refused, what was held
    back is dropped: its reader is nobody.
    """

    def __init__(self, namespace: str, send: Send) -> None:
        """Hold back what goes to `namespace`; pass the rest on to `send`, in order."""
        self._namespace = namespace
        self._send = send
        self._lock = threading.Lock()  # guards the rest, and the order in which `send` is called
        self._packets: list[Any] = []
        self._attachments = 0  # that follow what was held back last
        self._over = False

    def offer(self, packet: Any) -> None:
        """Send a packet of Engine.IO's now, or when the client is told that it is connected."""
        with self._lock:
            if self._over or not self._belongs(packet.data):
                self._send(packet)
                return
            kind = "" if isinstance(packet.data, bytes) else packet.data[0]
            if kind == _CONNECT_ERROR:
                self._packets.clear()
            if kind in (_CONNECT, _CONNECT_ERROR):
                self._send(packet)
                self._release()
            else:
                self._packets.append(packet)

    def release(self) -> None:
        """Send what is held back, and hold nothing back any more."""
        with self._lock:
            self._release()

    def _belongs(self, data: Any) -> bool:
        if isinstance(data, bytes):
            held = self._attachments > 0
            self._attachments -= held
            return held
        head = _HEAD.match(data) if isinstance(data, str) else None
        if head is None or (head[3] or "/") != self._namespace:
            self._attachments = 0
            return False
        self._attachments = int(head[2] or 0)
        return True

    def _release(self) -> None:
        self._over = True
        for packet in self._packets:
            self._send(packet)
        self._packets.clear()
