"""A whole server in this process, for tests that need both sides of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from textstream.settings import Settings
from textstream.web.app import create_app
from textstream.web.front_server import FrontServer
from textstream.web.server import Server


@contextmanager
def local_app(settings: Settings, **options: Any) -> Iterator[tuple[str, Server]]:
    """Serve an app of these settings meanwhile; yield its address, and its parts.

    Args:
        settings: of the app; it listens on a free port.
        options: as those of `create_app`.

    """
    settings = settings.model_copy(update={"port": 0})
    app = create_app(settings, **options)
    parts: Server = app.extensions["textstream"]
    front = FrontServer(settings, app, parts)
    thread = threading.Thread(target=front.serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{front.port}", parts
    finally:
        parts.close()
        front.shutdown()
        thread.join()
