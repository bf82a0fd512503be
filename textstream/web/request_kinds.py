"""Which requests are what, by their paths."""

from __future__ import annotations

from textstream.access.address import Proxies
from textstream.transport.http.environ import Environ
from textstream.web.client_files import CLIENT_FILES

SOCKET_IO = "/socket.io/"
HEALTH = "/healthz"
READY = "/readyz"
METRICS = "/metrics"

OPERATORS = frozenset({HEALTH, READY, METRICS})
"""What is to be answered also, and just then, when the server has too much to do."""


class Routes:
    """Which requests are what, also under a prefix."""

    def __init__(self, prefix: str, proxies: Proxies) -> None:
        """Serve at the root, and under `prefix`; believe `proxies` who their clients are."""
        self._prefix = prefix
        self._proxies = proxies

    def is_socket_io(self, environ: Environ) -> bool:
        """Whether it is for Engine.IO; none of the client's files."""
        path = self._path(environ["PATH_INFO"])
        if path == SOCKET_IO:
            return True
        # As it is chosen in `client_files`.
        return path.startswith(SOCKET_IO) and path.removeprefix(SOCKET_IO) not in CLIENT_FILES

    def is_health(self, environ: Environ) -> bool:
        """Whether it is answered also where nobody has a thread left."""
        return self._path(environ["PATH_INFO"]) in OPERATORS

    def address_of(self, environ: Environ) -> str:
        """Return the address by which the threads are shared: the client's, behind a proxy too."""
        return self._proxies.address_of(environ)

    def _path(self, path: str) -> str:
        prefix = self._prefix
        if prefix and path.startswith(f"{prefix}/"):
            path = path.removeprefix(prefix)
        return "/" + path.lstrip("/") if path.startswith("//") else path
