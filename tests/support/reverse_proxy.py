"""A reverse proxy as sites have them: under a path, or one that does not carry WebSockets.

What happens to bytes (cuts within a message, stalls, throttling) is `textstream.chaos`'s; this
one reads HTTP. It keeps the client's connection alive, and takes a new one to the server for
each request.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
import threading
from collections.abc import Iterable, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

from textstream.chaos.address import Address, format_address

Upgrade = Literal["carried", "dropped", "reset", "silent", "swallowed"] | int
"""What becomes of a WebSocket handshake.

- ``carried``: it is passed on, and then every byte both ways;
- ``dropped``: passed on as a plain GET, without ``Upgrade`` and ``Connection``;
- an HTTP status: answered with it and an HTML page;
- ``reset``: the connection is reset;
- ``silent``: never answered;
- ``swallowed``: passed on and accepted, and then nothing passes.
"""

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade"})
_PAGE = b"<!doctype html><title>A proxy</title><p>This page is a proxy's own."
_BLOCK = 65_536


class ReverseProxy:
    """Serves what is at `to` under ``url``, until it is closed.

    Attributes:
        upgrade: what becomes of WebSocket handshakes; may be set at any time, for those to come.
        unavailable: the status that every request gets, as while the server restarts; or None.
        seen: ``METHOD path`` of each request, without its query, WebSocket handshakes included.
        heads: what each of them asked for, with its query, and its headers.
        outside: the paths asked for that are not under the prefix; they got a 404.

    """

    def __init__(
        self,
        to: Address,
        *,
        prefix: str = "",
        strip: bool = True,
        upgrade: Upgrade = "carried",
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen on a free port of the loopback, and begin to serve.

        Args:
            to: host and port of the server.
            prefix: the path that it serves, ``/stream``; "" is all. Without its last slash it
                is redirected to the one with it, as nginx does for ``location /stream/``.
            strip: whether the server is asked without the prefix.
            upgrade: see `Upgrade`.
            headers: added to each request to the server, or in the place of the client's.
            tls: makes it speak https to clients.

        """
        self.upgrade: Upgrade = upgrade
        self.unavailable: int | None = None
        self.seen: list[str] = []
        self.heads: list[tuple[str, Message]] = []
        self.outside: list[str] = []
        self.prefix = prefix.rstrip("/")
        self.strip = strip
        self.to = to
        self.headers = {name.lower(): value for name, value in (headers or {}).items()}
        self._open: set[socket.socket] = set()
        self._closed = False
        self._lock = threading.Lock()  # guards _open
        self._server = _Server(self, tls)
        self.url = f"{'https' if tls else 'http'}://{format_address(self.address)}{self.prefix}"
        """Its address with the prefix and no slash behind it."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="reverse proxy"
        )
        self._thread.start()

    @property
    def address(self) -> Address:
        """Host and port it listens on."""
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def cut_all(self) -> None:
        """End the connections that there are, to clients and to the server."""
        with self._lock:
            connections = list(self._open)
        for each in connections:
            _end(each)

    def close(self) -> None:
        """End every connection and thread. Doing it again does nothing."""
        self._closed = True
        self._server.shutdown()
        self._thread.join()
        self._server.socket.close()
        self.cut_all()
        self._server.server_close()

    def __enter__(self) -> ReverseProxy:
        """Return itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self.close()

    def track(self, connection: socket.socket) -> None:
        """Let `cut_all` reach a connection, until it is closed."""
        with self._lock:
            self._open = {each for each in self._open if each.fileno() >= 0} | {connection}
            closed = self._closed
        if closed:
            _end(connection)

    def path_at_server(self, path: str) -> str | None:
        """Return what the server is asked for; None: it is not under the prefix."""
        if not path.startswith(f"{self.prefix}/"):
            return None
        return path[len(self.prefix) :] if self.strip else path


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close() waits for them
    request_queue_size = 128

    def __init__(self, proxy: ReverseProxy, tls: ssl.SSLContext | None) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Handler)
        if tls:
            # The handshake is made by the connection's thread, when that reads.
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def process_request(self, request: Any, client_address: Any) -> None:
        self.proxy.track(request)  # before there is a thread: close() has ended this one by then
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        # The base class ends the sending first: one that is to be reset would end in order.
        request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients leave, and are cut, at any time."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # any method
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        proxy = self.server.proxy
        path = urlsplit(self.path).path
        proxy.seen.append(f"{self.command} {path}")
        proxy.heads.append((self.path, self.headers))
        if proxy.unavailable:
            self._say(proxy.unavailable)
            return
        if proxy.prefix and path == proxy.prefix:
            self._say(301, {"Location": self.path.replace(path, f"{path}/", 1)})
            return
        target = proxy.path_at_server(self.path)
        if target is None:
            proxy.outside.append(path)
            self._say(404)
        elif self.headers.get("Upgrade", "").lower() == "websocket":
            self._websocket(target, proxy.upgrade)
        else:
            self._forward(target)

    def _say(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/html", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(_PAGE)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else _PAGE)

    def _head(self, *, without: Iterable[str]) -> list[tuple[str, str]]:
        added = self.server.proxy.headers
        dropped = {*without, *added}
        kept = [
            (name, value) for name, value in self.headers.items() if name.lower() not in dropped
        ]
        return [*kept, *added.items()]

    def _forward(self, target: str) -> None:
        """Pass on a request, and its answer as it comes."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        upstream = http.client.HTTPConnection(*self.server.proxy.to)
        with contextlib.closing(upstream):
            upstream.connect()
            self.server.proxy.track(upstream.sock)
            upstream.putrequest(self.command, target, skip_host=True, skip_accept_encoding=True)
            for name, value in self._head(without=_HOP_BY_HOP):
                upstream.putheader(name, value)
            upstream.putheader("Connection", "close")
            upstream.endheaders(body)
            self._pass_back(upstream.getresponse())

    def _pass_back(self, answer: http.client.HTTPResponse) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        empty = self.command == "HEAD" or answer.status in {204, 304}
        chunked = answer.length is None and not empty
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while not empty and (block := answer.read1(_BLOCK)):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        elif answer.length:
            self.close_connection = True  # the server broke off

    def _websocket(self, target: str, upgrade: Upgrade) -> None:
        if isinstance(upgrade, int):
            self._say(upgrade)
            return
        if upgrade == "dropped":
            self._forward(target)
            return
        self.close_connection = True
        if upgrade == "silent":
            self.connection.recv(1)  # until the client has enough, or it is cut
        elif upgrade == "reset":
            now = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        else:
            self._tunnel(target, swallow=upgrade == "swallowed")

    def _tunnel(self, target: str, *, swallow: bool) -> None:
        proxy = self.server.proxy
        head = [f"{self.command} {target} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in self._head(without=())]
        with socket.create_connection(proxy.to) as upstream:
            proxy.track(upstream)
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            upstream.sendall("\r\n".join([*head, "", ""]).encode("latin-1"))
            if swallow:
                accepted, _, _lost = upstream.recv(_BLOCK).partition(b"\r\n\r\n")
                self.wfile.write(accepted + b"\r\n\r\n")
                while self.connection.recv(_BLOCK):
                    pass
                return
            back = threading.Thread(target=self._carry, args=(upstream, self.connection))
            back.start()
            with contextlib.suppress(OSError):
                while block := self.rfile.read1(_BLOCK):
                    upstream.sendall(block)
            _end(upstream)
            back.join()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(_BLOCK):
                sink.sendall(block)
        _end(sink)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
