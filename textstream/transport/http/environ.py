"""What a WSGI application is told about a request (PEP 3333)."""

from __future__ import annotations

import io
import sys
from typing import Any

from textstream.transport.http.door import Door
from textstream.transport.http.files import FileBody
from textstream.transport.http.head import Head
from textstream.transport.http.request import Request
from textstream.transport.sockets import DOOR

Environ = dict[str, Any]


class Content(io.BytesIO):
    """A request's body, which is counted for as long as somebody has it, see `Held`.

    One whose client has gone may wait for its turn all the same: with its environ, and without its
    request.
    """

    def __init__(self, request: Request) -> None:
        super().__init__(request.body)
        self._held = request.held


def environ_of(request: Request, name: tuple[str, str]) -> Environ:
    """Return the environ of a request to a server of this name: address and port."""
    head, connection = request.head, request.connection
    environ = environ_of_head(head, connection.peer, connection.port, name, Content(request))
    environ[DOOR] = Door(connection)
    if head.chunked:
        del environ["HTTP_TRANSFER_ENCODING"]
        environ["CONTENT_LENGTH"] = str(request.size)
    return environ


def environ_of_head(
    head: Head, peer: str, port: int, name: tuple[str, str], content: io.BytesIO
) -> Environ:
    """Return the environ of a request with this head, from this address and port."""
    return {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": head.path,
        "QUERY_STRING": head.query,
        "REQUEST_URI": head.target,
        "RAW_URI": head.target,
        "SERVER_NAME": name[0],
        "SERVER_PORT": name[1],
        "SERVER_PROTOCOL": head.version,
        "REMOTE_ADDR": peer,
        "REMOTE_PORT": str(port),
        **head.fields,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input": content,
        "wsgi.input_terminated": True,
        "wsgi.file_wrapper": FileBody,
    }
