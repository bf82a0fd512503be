"""Ids that nobody guesses: of streams, of their keys, of sessions and of their clients."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable

DRAWN = 256
"""Ids made at a time.

Each draw from the system is a call for which the interpreter is given up, and to get it back takes
its time where several threads want it.
"""

_BLOCK = 3
"""Bytes that are four characters of base64, without padding."""


class Ids:
    """Makes ids out of the system's randomness. Any thread: a list's ``pop`` is one step."""

    def __init__(self, length: int) -> None:
        """Make those of so many characters, each of which has 6 bits."""
        self._length = length
        self._ids: list[str] = []
        if hasattr(os, "register_at_fork"):
            # Else parent and child would give the same ids.
            os.register_at_fork(after_in_child=self._forget)

    def new(self) -> str:
        """Return an id in the alphabet of URLs (RFC 4648, 5). On a command line it is no flag."""
        while True:
            try:
                return self._ids.pop()
            except IndexError:
                length = self._length
                drawn = os.urandom(-(-DRAWN * length // 4) * _BLOCK)
                text = base64.urlsafe_b64encode(drawn).decode()
                starts = range(0, DRAWN * length, length)
                self._ids += [text[at : at + length] for at in starts if text[at] != "-"]

    def _forget(self) -> None:
        self._ids = []


new_stream_id = Ids(22).new
"""Of a stream, or of its key: 132 bits, where a UUID has 122. Whoever knows the one may read the
stream, unless it is shared; whoever knows the other owns it."""

new_session_id = Ids(20).new
"""Of a session, or of a client in it: 120 bits, as long as Engine.IO's, which have 96 and a number
that tells its neighbours' order."""


def session_ids(name: str) -> Callable[[], str]:
    """Return what makes the ids of a server's sessions.

    Args:
        name: of the server, where there are several: they begin with it and a dot, so that a proxy
            sees whose a session is. "": there is one.

    """
    return (lambda: f"{name}.{new_session_id()}") if name else new_session_id
