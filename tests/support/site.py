"""A web server for static files: a page of another origin than the server's."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.leaks import LeakGuard


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, policies: Mapping[str, str], **kwargs: Any) -> None:
        self._policies = policies
        super().__init__(*args, **kwargs)

    def end_headers(self) -> None:
        for prefix, policy in self._policies.items():
            if self.path.startswith(prefix):
                self.send_header("Content-Security-Policy", policy)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name it has there)
        pass


@contextmanager
def site(
    folder: Path, leak_guard: LeakGuard, policies: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Serve `folder` on a free port; yield the origin.

    `policies` are content security policies by the beginning of the path.
    """
    handler = partial(_Handler, directory=str(folder), policies=policies or {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="site")
        thread.start()
        leak_guard.allow_thread(thread)
        leak_guard.allow_descriptor(server.fileno())
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
