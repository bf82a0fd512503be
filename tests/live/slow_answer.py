"""The server with answers that take their time: ``gunicorn tests.live.slow_answer:app``."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Response

from stream_server import app

PIECES = 20


@app.get("/slow")
def slow() -> Response:
    """Send `PIECES` letters in two seconds."""

    def pieces() -> Iterator[str]:
        for _ in range(PIECES):
            yield "x"
            time.sleep(0.1)

    return Response(pieces())


@app.get("/endless")
def endless() -> Response:
    """Send letters until nobody reads them: who asks for it holds a thread as long as it likes."""

    def pieces() -> Iterator[str]:
        while True:
            yield "x"
            time.sleep(0.1)

    return Response(pieces())
