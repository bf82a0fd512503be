"""How often, and for how long, a connection is tried again. No I/O."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ReconnectPolicy:
    """Exponential back-off with jitter, bounded.

    The jitter keeps the clients of a server that restarts from returning all at once. The
    count begins anew whenever new text has arrived.

    Attributes:
        initial: longest wait before the first try, in seconds.
        maximum: longest wait between two tries, in seconds.
        give_up_after: seconds without new text or connection, from the loss on.
        first_give_up_after: seconds that a server which was not reached yet is tried for: one that
            restarts is back in one or two. What does not pass by itself (no such name, a
            certificate, another server) is not tried again; 0: nothing is.
        attempts: tries in a row, at most; None: as many as fit into `give_up_after`.

    """

    initial: float = 0.2
    maximum: float = 5.0
    give_up_after: float = 60.0
    first_give_up_after: float = 5.0
    attempts: int | None = None

    def __post_init__(self) -> None:
        """Refuse values that make no sense.

        Raises:
            ValueError: a duration is negative, or `attempts` is below 1.

        """
        durations = (self.initial, self.maximum, self.give_up_after, self.first_give_up_after)
        if min(durations) < 0:
            raise ValueError(
                "initial, maximum, give_up_after and first_give_up_after are seconds, 0 or more"
            )
        if self.attempts is not None and self.attempts < 1:
            raise ValueError("attempts is 1 or more, or None")

    def delay(
        self, attempt: int, uniform: Callable[[float, float], float] = random.uniform
    ) -> float:
        """Return the seconds to wait before try number `attempt`, counted from 0."""
        if attempt == 0:
            return uniform(0, self.initial)
        longest = min(self.maximum, self.initial * 2.0 ** min(attempt, 32))
        return uniform(longest / 2, longest)

    def exhausted(self, attempt: int, elapsed: float, *, first: bool = False) -> bool:
        """Tell whether to give up after `attempt` tries in `elapsed` seconds.

        `first`: whether the server was not reached yet.
        """
        if self.attempts is not None and attempt >= self.attempts:
            return True
        return elapsed >= (self.first_give_up_after if first else self.give_up_after)
