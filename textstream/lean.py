"""Imported first by the server's own entry points: what nobody uses there is not loaded.

python-socketio imports the clients of Redis and Valkey wherever they are installed: 0.1 s of each
start and 8 MB, for a queue that this server has in a way of its own (`textstream.store`), and most
have none. Not where an application has imported it already, or may want that queue: there nothing
of this is called.
"""

from __future__ import annotations

import sys
from importlib import import_module

CLIENTS = ("redis", "valkey")


def _import_without(name: str, others: tuple[str, ...]) -> None:
    """Import a module as if `others` were not installed; they can be imported afterwards."""
    if name in sys.modules:
        return
    hidden = [other for other in others if other not in sys.modules]
    for other in hidden:
        sys.modules[other] = None  # type: ignore[assignment]  # "import of … halted"
    try:
        import_module(name)
    finally:
        for other in hidden:
            del sys.modules[other]


_import_without("socketio", CLIENTS)
