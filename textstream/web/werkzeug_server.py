"""Werkzeug's server, within bounds: of its threads, and of the descriptors that there are."""

from __future__ import annotations

import selectors
import threading
import types
from typing import TYPE_CHECKING, Any

import werkzeug.serving
from werkzeug.serving import ThreadedWSGIServer

from textstream.access.address import Proxies
from textstream.web.accepting import Accepted, Acceptor, Trouble, turn_away
from textstream.web.request_handler import RequestHandler
from textstream.web.request_threads import RequestThreads

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Handler(RequestHandler):
    """Ours, which says when a request is at work."""

    server: WsgiServer

    def run_wsgi(self) -> None:
        """Answer a request."""
        with self.server.request_threads.at_work(self.request):
            super().run_wsgi()


class WsgiServer(ThreadedWSGIServer):
    """Werkzeug's with a thread for each connection, as long as there are threads and descriptors.

    Stock, it starts as many threads as there are connections, prints a traceback where the system
    gives it no more, and keeps a processor busy where there is no descriptor for the next.
    """

    def __init__(self, host: str, port: int, app: WSGIApplication, *, proxies: Proxies) -> None:
        """Listen.

        Args:
            host: to listen on.
            port: to listen on; 0 picks a free one.
            app: what is served.
            proxies: in front of it.

        Raises:
            OSError: it cannot.
            SystemExit: the port is taken, as Werkzeug has it.

        """
        self.request_threads = RequestThreads(proxies)
        self._acceptor = Acceptor(make_room=self.request_threads.make_room)
        self._crowded = Trouble(
            "connections turned away: %d, %s has its share of %d requests at a time. If it is a "
            "proxy, name it in TEXTSTREAM_TRUSTED_PROXIES"
        )
        self._no_thread = Trouble("connections turned away: %d, the system gives no thread more")
        super().__init__(host, port, app, Handler)

    def get_request(self) -> Accepted:
        """Accept a connection.

        Raises:
            OSError: there is none to serve; the loop goes on.

        """
        return self._acceptor.accept(self.socket)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, or turn it away."""
        peer = client_address[0] if isinstance(client_address, tuple) else ""
        if not self.request_threads.enter(request, peer):
            self._crowded(peer or "the Unix socket", self.request_threads.share(peer))
            turn_away(request)
            return
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="request",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError:  # "can't start new thread"
            self.request_threads.leave(request)
            self._no_thread()
            turn_away(request)

    def shutdown_request(self, request: Any) -> None:
        """End a connection."""
        super().shutdown_request(request)
        self.request_threads.leave(request)

    def server_close(self) -> None:
        """Listen no longer."""
        super().server_close()
        self._acceptor.close()


def look_without_descriptors() -> None:
    """Let Werkzeug look for what a client sends beyond its request with poll(2).

    Stock, each request takes a descriptor for it (epoll): where there is none, its answer, which
    was written, is followed by a traceback and by another answer on the same connection. For all
    of Werkzeug's servers in this process.
    """
    if hasattr(selectors, "PollSelector"):
        werkzeug.serving.selectors = types.SimpleNamespace(  # type: ignore[attr-defined, assignment]
            DefaultSelector=selectors.PollSelector, EVENT_READ=selectors.EVENT_READ
        )
