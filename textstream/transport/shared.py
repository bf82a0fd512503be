"""What all sessions of a server share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from textstream.transport.bounds import Bounds, OnOversized
from textstream.transport.delay import Delay
from textstream.transport.farewells import Farewells
from textstream.transport.reactor import Timer
from textstream.transport.turns import Turns


class Shared:
    """What all sessions of a server share.

    Attributes:
        bounds: what each may cost.
        turns: places of large messages.
        on_oversized: told of a message that was dropped.
        submit: runs a job in a worker, soon.
        call_later: calls back in so many seconds; must not block.
        newcomers: turns out whoever is not connected in time; None: everybody is let stay.
        pings: asks whoever is due for a sign of life.
        hand_off: has a poll wait without its thread, and raises for that to leave, or returns where
            that cannot be; called with environ and ``start_response``.
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
        call_later: Callable[[float, Callable[[], None]], Timer],
        hand_off: Callable[[dict[str, Any], Any], None],
        newcomers: Delay | None,
        pings: Delay,
    ) -> None:
        self.bounds = bounds
        self.turns = turns
        self.on_oversized = on_oversized
        self.submit = submit
        self.call_later = call_later
        self.hand_off = hand_off
        self.newcomers = newcomers
        self.pings = pings
        self.farewells = Farewells()
        self.flags = threading.Lock()
