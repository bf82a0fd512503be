"""What all sessions of a server share."""

from __future__ import annotations

import threading
from collections.abc import Callable

from textstream.transport.bounds import Bounds, OnOversized
from textstream.transport.farewells import Farewells
from textstream.transport.turns import Turns


class Shared:
    """What all sessions of a server share.

    Attributes:
        bounds: what each may cost.
        turns: places of large messages.
        on_oversized: told of a message that was dropped.
        submit: runs a job in a worker, soon.
        farewells: who has closed a session a moment ago.
        flags: guards the flags of all of them.

    """

    def __init__(
        self,
        bounds: Bounds,
        *,
        turns: Turns,
        on_oversized: OnOversized,
        submit: Callable[[Callable[[], None]], None],
    ) -> None:
        self.bounds = bounds
        self.turns = turns
        self.on_oversized = on_oversized
        self.submit = submit
        self.farewells = Farewells()
        self.flags = threading.Lock()
