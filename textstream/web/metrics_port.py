"""The address that figures have of their own, apart from that of the clients."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterable
from typing import Any

from flask import Flask

from textstream.settings import split_address
from textstream.transport.http.bodies import Bodies
from textstream.transport.http.environ import Environ
from textstream.transport.http.front import Front
from textstream.transport.http.listener import listen
from textstream.transport.http.places import Places
from textstream.web.accepting import turn_away
from textstream.web.operators import open_to_all, operator_pages
from textstream.web.server import Server

logger = logging.getLogger("textstream.server")

CONNECTIONS = 64
"""At a time. Whoever scrapes has one or two."""

MAX_BODY = 1024
"""Bytes of a request: none has any."""

AGAIN = 1.0
"""Seconds until the next try, where others still have the ports."""


def has_port(setting: str) -> bool:
    """Return whether the setting ``metrics`` names an address."""
    return setting not in {"", "off"}


def warn_of_no_port(setting: str) -> None:
    """Say that this server serves no address of its own for figures, where one is named."""
    if has_port(setting):
        logger.warning(
            "figures are not served at %s: stream_server and gunicorn do that, this server does "
            "not. Without TEXTSTREAM_METRICS they are at /metrics, for this machine",
            setting,
        )


class _Routes:
    """Nothing is for Engine.IO here, and nobody needs a thread in any case."""

    def is_socket_io(self, environ: Environ) -> bool:  # noqa: ARG002 (a front's)
        """Say no."""
        return False

    def is_health(self, environ: Environ) -> bool:  # noqa: ARG002
        """Say no."""
        return False

    def address_of(self, environ: Environ) -> str:
        """Return the peer's."""
        return str(environ["REMOTE_ADDR"])


class MetricsPort:
    """Serves ``/metrics``, ``/healthz`` and ``/readyz`` at an address of their own.

    From the reactor, as the server's own front does, also under gunicorn: half a request takes no
    thread, and no view of the application's can keep others from it.
    """

    def __init__(self, server: Server, address: str, *, workers: int = 1) -> None:
        """Listen nowhere yet.

        Args:
            server: whose figures they are.
            address: where, as `split_address` reads it.
            workers: how many processes share the setting: each takes the first port that is free,
                of so many from that one on.

        """
        self._server = server
        self._host, self._port = split_address(address)
        self._ports = max(1, workers) if self._port else 1
        self._app = Flask("textstream.metrics", static_folder=None)
        self._app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
        self._app.register_blueprint(operator_pages(server, open_to_all))
        self._lock = threading.Lock()  # guards that nobody listens any more after the end
        self._front: Front | None = None
        self._closed = self._told = False
        self.port = 0
        """That is listened on; 0: none yet."""

    def open(self) -> None:
        """Listen.

        Raises:
            OSError: it cannot.

        """
        with self._lock:
            if not self._closed:
                self._serve(self._listen())

    def open_when_free(self) -> None:
        """Listen, now or as soon as one of the ports is free: another process may go down yet."""
        assert self._server.transport is not None  # noqa: S101 (the threading mode has one)
        try:
            self.open()
        except OSError as error:
            if not self._told:
                self._told = True
                logger.warning(
                    "no figures yet: cannot listen on %s:%d. %s. It is tried again each second",
                    self._host,
                    self._port,
                    error.strerror,
                )
            self._server.transport.reactor.call_later(AGAIN, self.open_when_free)

    def close(self, deadline: float) -> None:
        """End it until `deadline` (``time.monotonic``)."""
        with self._lock:
            self._closed = True
        if self._front:
            self._front.close(deadline)

    def _listen(self) -> socket.socket:
        for port in range(self._port, self._port + self._ports):
            try:
                return listen(self._host, port)
            except OSError as error:
                refused = error
        raise refused

    def _serve(self, listener: socket.socket) -> None:
        transport = self._server.transport
        assert transport is not None  # noqa: S101 (as above)
        self._front = Front(
            listener,
            self._answer,
            reactor=transport.reactor,
            places=Places(most=CONNECTIONS),
            bodies=Bodies(MAX_BODY, MAX_BODY, lambda _path: False),
            routes=_Routes(),
            turn_away=lambda sock, _peer: turn_away(sock),
        )
        self._front.start()
        host, self.port = listener.getsockname()[:2]
        shown = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        logger.info("figures are on http://%s/metrics", shown)

    def _answer(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        return self._app(environ, start_response)
