"""How often, and for how long, a lost connection is tried again. No I/O."""

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
        attempts: tries in a row, at most; None: as many as fit into `give_up_after`.

    """

    initial: float = 0.2
    maximum: float = 5.0
    give_up_after: float = 60.0
    attempts: int | None = None

    def __post_init__(self) -> None:
        """Refuse values that make no sense.

        Raises:
            ValueError: a duration is negative, or `attempts` is below 1.

        """
        if min(self.initial, self.maximum, self.give_up_after) < 0:
            raise ValueError("initial, maximum and give_up_after are seconds, 0 or more")
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

    def exhausted(self, attempt: int, elapsed: float) -> bool:
        """Tell whether to give up after `attempt` tries in `elapsed` seconds."""
        if self.attempts is not None and attempt >= self.attempts:
            return True
        return elapsed >= self.give_up_after
