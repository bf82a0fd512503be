"""An endpoint that replays bytes: whatever a server may put on the wire, in steps."""

from __future__ import annotations

import contextlib
import json
import re
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any


class Step(Enum):
    """What an endpoint does that is no sending."""

    HOLD = "wait until the client closes"
    PING = "send comments until the client closes"
    BLANKS = "send empty deltas until the client closes"
    RESET = "end with a reset instead of an orderly end"
    FLOOD = "send a line without an end until the client closes"


HOLD, PING, BLANKS, RESET, FLOOD = Step
Script = Sequence[bytes | Step]


class Request:
    """One request, as it came."""

    def __init__(self, head: bytes, body: bytes) -> None:
        self.target = head.split(b" ", 2)[1].decode()
        lines = head.decode("latin-1").split("\r\n")[1:]
        self.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        self.body: dict[str, Any] = json.loads(body) if body else {}


class WireEndpoint:
    """Answers each connection's one request with a script.

    Attributes:
        script: what it answers with, or what makes that out of the request.
        requests: all that came, oldest first.
        closed: set when a client closed a connection that a `HOLD` or the like kept.

    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.script: Script | Callable[[Request], Script] = ()
        self.requests: list[Request] = []
        self.closed = threading.Event()
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.base_url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/v1"
        self._threads: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._accept, name="wire-endpoint")
        self._thread.start()

    def close(self) -> None:
        """Stop it and wait for its threads."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(peer,), name="wire-answer")
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        peer = raw
        with self._noting_a_close(), raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.settimeout(30)
            if self._tls:
                peer = self._tls.wrap_socket(raw, server_side=True)
            with peer:
                request = self._read(peer)
                self.requests.append(request)
                script = self.script(request) if callable(self.script) else self.script
                if not self._play(peer, script):
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(4096):  # a close with unread bytes would be a reset
                        pass

    @contextlib.contextmanager
    def _noting_a_close(self) -> Iterator[None]:
        """Note a client that has closed its connection before the script came to its end."""
        try:
            yield
        except OSError:
            self.closed.set()

    def _read(self, peer: socket.socket) -> Request:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._some(peer)
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        while len(body) < int(length[1] if length else 0):
            body += self._some(peer)
        return Request(head, body)

    @staticmethod
    def _some(peer: socket.socket) -> bytes:
        data = peer.recv(65536)
        if not data:
            raise ConnectionError
        return data

    def _play(self, peer: socket.socket, script: Script) -> bool:
        """Return whether the end was part of the script."""
        for step in script:
            if isinstance(step, bytes):
                peer.sendall(step)
            elif step is RESET:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.close()
                return True
            else:
                self._until_closed(peer, step)
                return True
        return False

    def _until_closed(self, peer: socket.socket, step: Step) -> None:
        again = {
            PING: b": ping\n\n",
            BLANKS: b'data: {"choices": [{"index": 0, "delta": {"content": ""}}]}\n\n',
            FLOOD: b"data: " + 65536 * b"x",
        }.get(step)
        try:
            # A ping now and then: what is waited for is the client.
            while not select.select([peer], [], [], 0 if step is FLOOD else 0.02)[0]:
                if again:
                    peer.sendall(again)
            peer.recv(1)
        except OSError:
            pass
        self.closed.set()
