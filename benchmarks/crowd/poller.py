"""A client over polling: a GET that waits, and POSTs beside, as browsers make them."""

from __future__ import annotations

import json
from collections import deque
from time import perf_counter

from benchmarks.crowd.http import Line, request
from benchmarks.crowd.loop import Loop
from benchmarks.crowd.session import Seen, Session

POLLING = "/socket.io/?EIO=4&transport=polling"
SEPARATOR = b"\x1e"
OK = 200


class Poller(Session):
    """One session."""

    __slots__ = ("_gets", "_is_over", "_port", "_posting", "_posts", "_target", "_to_post")

    def __init__(self, loop: Loop, port: int, seen: Seen, text: str = "") -> None:
        super().__init__(seen, text)
        self._port = port
        self._gets, self._posts = Line(loop, port), Line(loop, port)
        self._target = POLLING
        self._to_post: deque[bytes] = deque()
        self._posting = False
        self._is_over = False

    def open(self) -> None:
        """Make the handshakes of Engine.IO and Socket.IO, and poll from then on."""
        self._asked = perf_counter()
        self._gets.ask(request(self._port, POLLING), self._opened)

    def post(self, payload: bytes) -> None:
        """Send an Engine.IO packet, with all others that wait."""
        self._to_post.append(payload)
        if not self._posting:
            self._post()

    def leave(self) -> None:
        """Say goodbye: Socket.IO's DISCONNECT and Engine.IO's CLOSE."""
        self._is_over = True
        self.post(b"41" + SEPARATOR + b"1")

    def _opened(self, status: int, body: bytes) -> None:
        if status != OK:
            self._fail("open", status)
            return
        self._target = f"{POLLING}&sid={json.loads(body[1:])['sid']}"
        self.post(self.connect)
        self._poll()

    def _poll(self) -> None:
        self._gets.ask(request(self._port, self._target), self._polled)

    def _polled(self, status: int, body: bytes) -> None:
        if self._is_over:
            return
        if status != OK:
            self._fail("poll", status)
            return
        self._seen.polls += 1
        for payload in body.split(SEPARATOR):
            self.take_packet(payload)
        if not self._is_over:
            self._poll()

    def _post(self) -> None:
        self._posting = True
        body = SEPARATOR.join(self._to_post)
        self._to_post.clear()
        self._posts.ask(request(self._port, self._target, body), self._posted)

    def _posted(self, status: int, _: bytes) -> None:
        self._posting = False
        if status != OK:
            self._fail("post", status)
        elif self._to_post:
            self._post()
        elif self._is_over:
            self._end()

    def _fail(self, what: str, status: int) -> None:
        self._seen.errors[f"{what}: HTTP {status}" if status else f"{what}: no answer"] += 1
        self._end()

    def _end(self) -> None:
        self._is_over = True
        self._gets.close()
        self._posts.close()
        self.on_gone(self)
