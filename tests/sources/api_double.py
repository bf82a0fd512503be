"""A scriptable HTTP server in place of an OpenAI-compatible API, for what a real one rarely does.

It answers every POST with the next step of its script and remembers the headers that came.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DONE = "data: [DONE]\n\n"


def event(text: str | None = None, finish: str | None = None, **delta: Any) -> str:
    """Return one event of a streamed answer."""
    choice = {"index": 0, "delta": {"content": text, **delta}, "finish_reason": finish}
    chunk = {
        "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [choice],
    }  # fmt: skip
    return f"data: {json.dumps(chunk)}\n\n"


class Exchange:
    """One request, and how to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler = handler
        length = int(handler.headers["Content-Length"])
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.body = json.loads(handler.rfile.read(length))
        self.socket: socket.socket = handler.connection

    def answer(self, text: str, status: int = 200, kind: str = "text/event-stream") -> None:
        """Send a whole response."""
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", kind)
        self._handler.send_header("Content-Length", str(len(text.encode())))
        self._handler.end_headers()
        self._handler.wfile.write(text.encode())

    def begin(self) -> None:
        """Send the head of a response that goes on for as long as the connection."""
        self._handler.send_response(200)
        self._handler.send_header("Content-Type", "text/event-stream")
        self._handler.send_header("Connection", "close")
        self._handler.end_headers()

    def send(self, text: str) -> None:
        """Send a piece of it."""
        self._handler.wfile.write(text.encode())
        self._handler.wfile.flush()

    def wait_for_close(self) -> None:
        """Wait until the client closes the connection."""
        self.socket.settimeout(30)
        while self.socket.recv(4096):
            pass


class ApiDouble:
    """The server. ``script`` answers each request, on a thread of its own."""

    def __init__(self, script: Callable[[Exchange], None]) -> None:
        self.exchanges: list[Exchange] = []
        self.asked = threading.Event()
        self.closed_by_client = threading.Event()
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                exchange = Exchange(self)
                double.exchanges.append(exchange)
                double.asked.set()
                self.close_connection = True
                try:
                    script(exchange)
                except (BrokenPipeError, ConnectionResetError):
                    double.closed_by_client.set()

            def log_message(self, *args: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Stop it and wait for its threads."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
