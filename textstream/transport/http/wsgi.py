"""Having a WSGI application answer a request (PEP 3333)."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from textstream.loggable import log_exception, without_ids
from textstream.transport.http.door import Door
from textstream.transport.http.files import FileBody
from textstream.transport.http.framing import LAST_CHUNK, Framing, Headers, chunk, frame
from textstream.transport.http.request import Request
from textstream.transport.sockets import DOOR

logger = logging.getLogger("textstream.http")

SMALL = 65_536
"""Bytes of a body that are gathered before some of it is sent; all of it has its length."""

FAILED = b"The application failed at this request. The server's log says where.\n"

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]

MayWait = Callable[[dict[str, Any], Any], Iterable[bytes] | None]
"""An application that may return None: the request waits without a thread, and comes again."""

Call = Callable[..., None]
"""Calls, with arguments, soon in the reactor's thread; or here, where this is it."""


class _NobodyReads(Exception):
    """The client has gone. None of Python's own: an application may raise those."""


class Exchange:
    """One request and what the application answers."""

    def __init__(self, request: Request, call: Call, *, keep: bool, whole: bool = False) -> None:
        """Make it.

        Args:
            request: it.
            call: brings the answer to the connection.
            keep: whether another request may follow on the connection.
            whole: gather all of a body before any of it is sent. Where `run` must not wait for
                the client: in the reactor's thread.

        """
        self._connection = request.connection
        self._head = request.head
        self._held = request.held
        self._call = call
        self._keep = keep
        self._whole = whole
        self._status = ""
        self._headers: Headers = []
        self._written: list[bytes] = []  # by the callable that `start_response` returns
        self._begun = False  # whether the head of the answer has been sent
        self._done = False  # whether all of it has
        self._refused = False
        self._sent_file: FileBody | None = None

    def refuse(self) -> None:
        """Let `run` do nothing: the client was told that it was not done."""
        self._refused = True

    def run(self, app: MayWait, environ: dict[str, Any]) -> None:
        """Have it answered by `app`. Never raises."""
        if self._refused:
            return
        door: Door = environ[DOOR]
        result: Any = None
        try:
            result = app(environ, self._start_response)
            door.connection = None  # before the client can see that it is over
            if result is not None:
                self._let_go()
                self._send(result)
        except _NobodyReads:
            self._call(self._connection.end)
        except BaseException as error:  # noqa: BLE001 (the application's; SystemExit is no end)
            log_exception(logger, "the application failed at a request", error=error)
            self._let_go()
            self._fail()
        finally:
            door.connection = None
            self._close(result)

    def _let_go(self) -> None:
        """Count the body no longer. Not of a request that waits: it comes again."""
        if self._held:
            self._held.let_go()

    def _start_response(
        self, status: str, headers: Headers, exc_info: Any = None
    ) -> Callable[[bytes], None]:
        if exc_info:
            if self._begun:
                raise exc_info[1].with_traceback(exc_info[2])
            self._written.clear()
        elif self._status:
            raise RuntimeError("start_response was called again, and without exc_info")
        self._status, self._headers = status, list(headers)
        return self._written.append

    def _send(self, result: Iterable[bytes]) -> None:
        if self._connection.sock is None and not self._status:
            return  # it was taken, for a WebSocket
        if isinstance(result, FileBody) and result.is_plain and not self._written:
            self._send_file(result)
            return
        parts = iter(result)
        is_there = self._whole or isinstance(result, (list, tuple))
        body, more = _gather(parts, sys.maxsize if is_there else SMALL)
        body = b"".join(self._written) + body
        if more:
            self._send_parts(body, parts)
        else:
            framing = self._frame(len(body))
            self._answer(framing, framing.head + body if framing.has_body else framing.head)

    def _send_file(self, file: FileBody) -> None:
        framing = self._frame(None, may_chunk=False)
        if framing.has_body:
            file.expect(framing.length)
            self._sent_file = file  # closed by whoever sends it
            self._answer(framing, framing.head, file)
        else:
            self._answer(framing, framing.head)

    def _send_parts(self, part: bytes, parts: Iterator[bytes]) -> None:
        """Send a body whose length is not known, as it is made; wait where nobody reads it."""
        framing = self._frame(None)
        if not framing.has_body:
            self._answer(framing, framing.head)
            return
        self._begun = True
        data, left, more = framing.head, framing.length, True
        while True:
            if left is not None:
                left -= len(part)
                if left < 0 or (left and not more):
                    raise RuntimeError(f"the body has not its Content-Length, {framing.length}")
            data += chunk(part) if framing.chunked and part else part
            if not more:
                break
            self._write(data)
            data = b""
            part, more = _gather(parts, SMALL)
        self._answer(framing, data + LAST_CHUNK if framing.chunked else data)

    def _write(self, data: bytes) -> None:
        """Send a part, and wait until there is room for more."""
        drained = threading.Event()
        reads: list[bool] = []

        def on_drained(more: bool) -> None:
            reads.append(more)
            drained.set()

        self._call(self._connection.write, data, on_drained)
        drained.wait()  # it has an end: a client that takes nothing is closed
        if not reads[0]:
            raise _NobodyReads

    def _answer(self, framing: Framing, data: bytes, file: FileBody | None = None) -> None:
        self._done = True
        if logger.isEnabledFor(logging.DEBUG):
            line = without_ids(f"{self._head.method} {self._head.target}")
            logger.debug("%s %s", line, self._status)
        self._call(self._connection.answer, data, keep=framing.keep, file=file)

    def _fail(self) -> None:
        """Answer 500, if nothing was said yet; an answer that has begun just ends."""
        if self._done:
            return
        if self._begun:
            self._call(self._connection.end)
            return
        self._status, self._headers = "500 Internal Server Error", [("Content-Type", "text/plain")]
        framing = self._frame(len(FAILED))
        self._answer(framing, framing.head + FAILED if framing.has_body else framing.head)

    def _close(self, result: Any) -> None:
        """Close what the application has returned, but not a file that is being sent."""
        close = getattr(result, "close", None)
        try:
            if close and result is not self._sent_file:
                close()
        except BaseException as error:  # noqa: BLE001 (the application's)
            log_exception(logger, "the application failed after a request", error=error)

    def _frame(self, size: int | None, *, may_chunk: bool = True) -> Framing:
        if not self._status:
            raise RuntimeError("the application did not call start_response")
        return frame(
            self._head,
            self._status,
            self._headers,
            size=size,
            keep=self._keep,
            may_chunk=may_chunk,
        )


def _gather(parts: Iterator[bytes], most: int) -> tuple[bytes, bool]:
    """Return the next bytes of a body, about `most`, and whether there may be more of it."""
    gathered, size = [], 0
    for part in parts:
        if part:
            gathered.append(part)
            size += len(part)
            if size >= most:
                return b"".join(gathered), True
    return b"".join(gathered), False
