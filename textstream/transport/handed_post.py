"""POSTs that have to wait leave their WSGI server's thread, as polls do."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from textstream.transport.handed_poll import HandedPoll, HandedPolls, kept_of
from textstream.transport.handoff import steal
from textstream.transport.opening import leave_thread
from textstream.transport.polls import StartResponse, WsgiApp
from textstream.transport.posts import dismiss
from textstream.transport.waits import PARKED, WAKE, Waits


class HandedPosts:
    """WSGI middleware: lets a POST that waits go on without its thread, where that can be.

    Most do not wait, and their connections are kept. A body is read in the thread before.
    """

    def __init__(self, app: WsgiApp, handed: HandedPolls) -> None:
        self._app = app
        self._handed = handed

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request.

        Raises:
            StopIteration, ConnectionError: it goes on; the thread leaves, as its server has it.

        """
        if environ["REQUEST_METHOD"] != "POST" or WAKE in environ:
            return self._app(environ, start_response)
        raw = self._handed.socket_of(environ, start_response)
        if raw is None:
            return self._app(environ, start_response)
        kept, handled = kept_of(environ), threading.Event()
        post = HandedPoll(self._handed, kept)

        def wake(parked: Any) -> None:
            kept[PARKED] = parked
            handled.set()
            post.wake()

        begun: list[Any] = []
        served = {**environ, WAKE: wake}
        try:
            answer = self._app(served, lambda *what: begun.append(what))
        except Waits as waits:
            kept[PARKED] = waits.parked
        else:
            if begun[0][0].startswith("4"):
                dismiss(served)
            start_response(*begun[0])
            return answer
        try:
            sock = steal(raw)
        except OSError:  # no descriptor to hand it off with
            handled.wait()
            return self._handed.parking.serve_parked(kept, start_response)
        post.start(sock)
        return leave_thread(environ)  # type: ignore[no-any-return]
