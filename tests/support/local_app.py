"""A whole server in this process, for tests that need both sides of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import make_server

from textstream.settings import Settings
from textstream.web.app import create_app
from textstream.web.request_handler import RequestHandler
from textstream.web.server import Server


@contextmanager
def local_app(settings: Settings, **options: Any) -> Iterator[tuple[str, Server]]:
    """Serve an app of these settings meanwhile; yield its address, and its parts.

    Args:
        settings: of the app.
        options: as those of `create_app`.

    """
    app = create_app(settings, **options)
    httpd = make_server("127.0.0.1", 0, app, threaded=True, request_handler=RequestHandler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    parts: Server = app.extensions["textstream"]
    try:
        yield f"http://127.0.0.1:{httpd.server_port}", parts
    finally:
        parts.close()
        httpd.shutdown()
        thread.join()
        httpd.server_close()
