"""Sessions of other worker processes: what a client reads that has met the wrong one."""

from __future__ import annotations

from typing import Any

RUN_ONE_WORKER = "Run one worker, with threads: gunicorn -w 1 --threads 16."


MAX_NAME = 16
"""Characters of a server's name."""


def has_siblings(environ: dict[str, Any]) -> bool:
    """Return whether other processes may serve the same application (PEP 3333).

    gunicorn and uWSGI know it; the ASGI servers' adapters always say so.
    """
    return bool(environ.get("wsgi.multiprocess"))


def why_unknown(environ: dict[str, Any], sid: str, name: str) -> str:
    """Return why a session may be unknown; nothing, where this process has them all.

    It may have ended, too: its id does not tell.

    Args:
        environ: of the request.
        sid: the session's id, as the request has it.
        name: of this server, where it has one.

    """
    owner = sid.rpartition(".")[0]
    if name and owner not in {"", name}:
        return (
            f"it is of the server {owner[:MAX_NAME]!a}, and this is '{name}'. Let the proxy "
            "send each request to the server that its sid names, as deploy/nginx.conf does."
        )
    if not has_siblings(environ):
        return ""
    return (
        "it has ended, or another worker process has it: each keeps its sessions to itself. "
        + RUN_ONE_WORKER
    )
