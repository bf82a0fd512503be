"""Having a WSGI application answer a request (PEP 3333)."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from textstream.loggable import log_exception, without_ids
from textstream.transport.http.answers import head
from textstream.transport.http.connection import Request
from textstream.transport.http.door import Door
from textstream.transport.http.files import FileBody
from textstream.transport.sockets import DOOR

logger = logging.getLogger("textstream.http")

SMALL = 65_536
"""Bytes of a body that are gathered before some of it is sent; all of it has its length."""

FAILED = b"The application failed at this request. The server's log says where.\n"

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]

Waiting = Callable[[dict[str, Any], Any], Iterable[bytes] | None]
"""An application that may return None: the request waits without a thread, and comes again."""

Headers = list[tuple[str, str]]


def environ_of(request: Request, name: tuple[str, str]) -> dict[str, Any]:
    """Return the environ of a request to a server of this name: address and port."""
    head, connection = request.head, request.connection
    environ: dict[str, Any] = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": head.path,
        "QUERY_STRING": head.query,
        "REQUEST_URI": head.target,
        "RAW_URI": head.target,
        "SERVER_NAME": name[0],
        "SERVER_PORT": name[1],
        "SERVER_PROTOCOL": head.version,
        "REMOTE_ADDR": connection.peer,
        "REMOTE_PORT": str(connection.port),
        **head.fields,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.file_wrapper": FileBody,
        DOOR: Door(connection),
    }
    if head.chunked:
        del environ["HTTP_TRANSFER_ENCODING"]
        environ["CONTENT_LENGTH"] = str(request.size)
    return environ


class Exchange:
    """One request and what the application answers."""

    def __init__(self, request: Request) -> None:
        self._connection = request.connection
        self._head = request.head
        self._status = ""
        self._headers: Headers = []
        self._written: list[bytes] = []  # by the callable that `start_response` returns
        self._begun = False  # whether the head of the answer has been sent
        self._keep = request.head.keep_alive

    def run(self, app: Waiting, environ: dict[str, Any], call: Callable[..., None]) -> None:
        """Have it answered.

        Args:
            app: what answers it.
            environ: of the request.
            call: calls, with arguments, soon in the reactor's thread; or here, where this is it.

        """
        door: Door = environ[DOOR]
        try:
            result = app(environ, self._start_response)
            if result is None:
                return
            try:
                self._send(result, call)
            finally:
                if not isinstance(result, FileBody) and (close := getattr(result, "close", None)):
                    close()
        except ConnectionError:
            call(self._connection.end)  # nobody reads the rest
        except Exception as error:  # noqa: BLE001 (the application's, of whatever kind)
            log_exception(logger, "the application failed at a request", error=error)
            self._fail(call)
        finally:
            door.connection = None

    def _start_response(
        self, status: str, headers: Headers, exc_info: Any = None
    ) -> Callable[[bytes], None]:
        if exc_info and self._begun:
            raise exc_info[1].with_traceback(exc_info[2])
        self._status, self._headers = status, list(headers)
        return self._written.append

    def _send(self, result: Iterable[bytes], call: Callable[..., None]) -> None:
        connection = self._connection
        if connection.sock is None and not self._status:
            return  # it was taken, for a WebSocket
        if isinstance(result, FileBody) and not self._written:
            data = self._head_of_answer(None)
            if self._is_bodyless:
                result.close()
                call(connection.answer, data, keep=self._keep)
            else:
                call(connection.answer, data, keep=self._keep, file=result)
            return
        parts = iter(result)
        body, more = _gather(parts, SMALL if not isinstance(result, (list, tuple)) else sys.maxsize)
        body = b"".join(self._written) + body
        if not more:
            data = self._head_of_answer(len(body))
            call(connection.answer, data if self._is_bodyless else data + body, keep=self._keep)
            return
        self._send_parts(body, parts, call)

    def _send_parts(self, first: bytes, parts: Iterator[bytes], call: Callable[..., None]) -> None:
        """Send a body whose length is not known, as it is made; wait where nobody reads it."""
        chunked = self._head.version == "HTTP/1.1" and not self._declares("content-length")
        if chunked:
            self._headers.append(("Transfer-Encoding", "chunked"))
        elif not self._declares("content-length"):
            self._keep = False  # its end is the connection's
        data = self._head_of_answer(None)
        if self._is_bodyless:
            call(self._connection.answer, data, keep=self._keep)
            return
        self._begun = True
        part, more = first, True
        while more:
            self._write(data + (_chunk(part) if chunked else part), call)
            data = b""
            part, more = _gather(parts, SMALL)
        last = (_chunk(part) if part else b"") + b"0\r\n\r\n" if chunked else part
        call(self._connection.answer, last, keep=self._keep)

    def _write(self, data: bytes, call: Callable[..., None]) -> None:
        drained = threading.Event()
        reads: list[bool] = []

        def on_drained(more: bool) -> None:
            reads.append(more)
            drained.set()

        call(self._connection.write, data, on_drained)
        drained.wait()  # it has an end: a client that takes nothing is closed
        if not reads[0]:
            raise ConnectionError

    def _fail(self, call: Callable[..., None]) -> None:
        if self._begun:
            call(self._connection.end)
            return
        self._status, self._headers = "500 Internal Server Error", [("Content-Type", "text/plain")]
        data = self._head_of_answer(len(FAILED))
        call(self._connection.answer, data + FAILED, keep=self._keep)

    @property
    def _is_bodyless(self) -> bool:
        return self._head.method == "HEAD" or self._status[:3] in {"204", "304"}

    def _declares(self, name: str) -> bool:
        return any(key.lower() == name for key, _ in self._headers)

    def _head_of_answer(self, length: int | None) -> bytes:
        """Return it; `length` in bytes, where all of the body is there."""
        if not self._status:
            raise RuntimeError("the application did not call start_response")
        headers = self._headers
        if length is not None and not self._is_bodyless:
            for key, value in headers:
                if key.lower() == "content-length" and value != str(length):
                    raise RuntimeError(f"Content-Length is {value}, the body has {length} bytes")
            if not self._declares("content-length"):
                headers.append(("Content-Length", str(length)))
        asked = next((value for key, value in headers if key.lower() == "connection"), "")
        if "close" in asked.lower():
            self._keep = False
        elif not self._keep:
            headers = [(key, value) for key, value in headers if key.lower() != "connection"]
            headers.append(("Connection", f"{asked}, close" if asked else "close"))
        elif self._head.version == "HTTP/1.0":
            headers.append(("Connection", "keep-alive"))
        if logger.isEnabledFor(logging.DEBUG):
            line = without_ids(f"{self._head.method} {self._head.target}")
            logger.debug("%s %s", line, self._status)
        return head(self._status, headers)


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


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
