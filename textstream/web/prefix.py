"""Served under a path: by a proxy that takes it off or leaves it on, or as a mount."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from werkzeug.utils import redirect

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def under_prefix(app: WSGIApp, prefix: str) -> WSGIApp:
    """Return `app` as it is served under `prefix`, and at the root as before (PEP 3333).

    Not by ``X-Forwarded-Prefix``: anybody can send it, and would get around what a proxy says of
    paths (``/x/healthz`` with the prefix ``/x`` would be ``/healthz``).

    Args:
        app: the whole server, Socket.IO included.
        prefix: ``/stream``; an empty one leaves paths as they are.

    """

    def mounted(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == prefix or path.startswith(f"{prefix}/"):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + prefix
            environ["PATH_INFO"] = path = path.removeprefix(prefix)
        if not path and environ.get("SCRIPT_NAME"):
            # Flask would do it, with an absolute address.
            return redirect(with_slash(environ), 308)(environ, start_response)
        if path.startswith("//"):
            # Of a proxy that takes off "/stream" and puts "/" before it. Flask knows no difference,
            # Socket.IO does.
            environ["PATH_INFO"] = "/" + path.lstrip("/")
        return app(environ, start_response)

    return mounted


def with_slash(environ: dict[str, Any]) -> str:
    """Return the address of the folder that was asked for without its slash, with the query.

    It is relative. An absolute one would leave the prefix of a proxy that has taken it off.
    """
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    name = quote(path.rpartition("/")[2].encode("latin-1"))  # as WSGI has bytes in strings
    query = environ.get("QUERY_STRING", "")
    return f"./{name}/" + (f"?{query}" if query else "")
