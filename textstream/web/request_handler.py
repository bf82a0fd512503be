"""How Werkzeug's server answers a request: as it does, but leaving nothing behind."""

from __future__ import annotations

import logging
from http import HTTPStatus
from io import BufferedReader
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from werkzeug.serving import WSGIRequestHandler

from textstream.loggable import without_ids

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

REST_BYTES = 65_536


class _Rest:
    """What a client has sent beyond its request, which Werkzeug reads and drops.

    Werkzeug reads 10 MB at a time: enough for the C library to keep every thread's freed memory
    from then on. And where the client resets the connection meanwhile, the error that it does not
    expect leaves the descriptor of its selector open, until the garbage collector comes by.
    """

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream

    def read(self, _size: int) -> bytes:
        """Return what there is, but little at a time; nothing from a connection that is gone."""
        try:
            return self._stream.read1(REST_BYTES)
        except OSError:
            return b""

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


class RequestHandler(WSGIRequestHandler):
    """Werkzeug's, but it leaves nothing behind when a client is gone.

    Nor does it look for another request on a socket that was a WebSocket. And a client's mistakes
    are answered, and are no errors in the log.
    """

    # Of a request line that makes no sense: stock, HTTP/0.9, which has no status for an answer.
    default_request_version = "HTTP/1.1"

    def run_wsgi(self) -> None:
        """Answer a request; with 400 one that makes no sense.

        One whose target is no URL (``//[``), where stock raises, and one with two Hosts, which
        stock takes for one with a comma in its name (RFC 9112, 3.2).
        """
        try:
            urlsplit(self.path)
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST, "Malformed request target")
            return
        if len(self.headers.get_all("Host", ())) > 1:
            self.send_error(HTTPStatus.BAD_REQUEST, "More than one Host")
            return
        super().run_wsgi()

    def make_environ(self) -> WSGIEnvironment:
        """Give the application the request's stream, and Werkzeug what is left of it."""
        environ = super().make_environ()
        self.rfile = cast("BufferedReader", _Rest(cast("BufferedReader", self.rfile)))
        return environ

    def connection_dropped(
        self, error: BaseException, environ: WSGIEnvironment | None = None
    ) -> None:
        """End the connection: Engine.IO reports so that its WebSocket has ended."""
        super().connection_dropped(error, environ)
        self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log at level debug: polling makes a line several times a second."""
        logging.getLogger("werkzeug").debug("%s %s %s", without_ids(self.requestline), code, size)

    def log_error(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Log at level debug what was wrong with a request: stock, 64 kB of it at level error."""
        logging.getLogger("werkzeug").debug(format, *args)
