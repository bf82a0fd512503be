"""Several worker processes: what is said of it when a server starts."""

from __future__ import annotations

import logging
import sys
from typing import Any

from textstream.transport.foreign import RUN_ONE_WORKER

logger = logging.getLogger("textstream.server")


def warn_of_several(server: str, count: int, *, shared: bool = False) -> None:
    """Say that `server` runs `count` workers, and what does not work then. Not where it is one.

    `shared`: they share their streams in a store.
    """
    if count > 1 and shared:
        logger.warning(
            "several workers: %s runs %d behind one port. Clients that poll fail: each keeps its "
            "sessions to itself. Run servers with a name and a port each: docs/scaling.md.",
            server,
            count,
        )
    elif count > 1:
        logger.warning(
            "several workers: %s runs %d. Each keeps its sessions and streams to itself: clients "
            "that poll fail, and one that comes back may not find its stream. %s",
            server,
            count,
            RUN_ONE_WORKER,
        )


def warn_under_uwsgi() -> None:
    """Say it if this is in uWSGI: in its master, or in the first of the workers that load it."""
    uwsgi: Any = sys.modules.get("uwsgi")
    if uwsgi is not None and uwsgi.worker_id() in {0, 1}:
        warn_of_several("uWSGI (processes)", uwsgi.numproc)
