"""Names of streams that nobody guesses."""

from __future__ import annotations

import base64
import os

ID_BYTES = 16
"""128 bits, as a UUID has them; whoever knows the name may read the stream."""

DRAWN = 256
"""Names made at a time.

Each draw from the system is a call for which the interpreter is given up, and to get it back takes
its time where several threads want it.
"""


class Ids:
    """Makes names out of the system's randomness. Any thread: a list's ``pop`` is one step."""

    def __init__(self) -> None:
        self._names: list[str] = []
        if hasattr(os, "register_at_fork"):
            # Else parent and child would give the same names.
            os.register_at_fork(after_in_child=self._forget)

    def new(self) -> str:
        """Return a name of 22 characters. On a command line it is no flag."""
        while True:
            try:
                return self._names.pop()
            except IndexError:
                drawn = os.urandom(DRAWN * ID_BYTES)
                parts = (drawn[i : i + ID_BYTES] for i in range(0, len(drawn), ID_BYTES))
                names = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts]
                self._names += [name for name in names if not name.startswith("-")]

    def _forget(self) -> None:
        self._names = []


new_id = Ids().new
