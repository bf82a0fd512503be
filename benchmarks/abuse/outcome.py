"""What an attack saw, and whether that is what the server promises."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field

from benchmarks.abuse.wire import OPEN, Ended

MEGABYTE = 1_000_000


@dataclass
class Outcome:
    """What an attack saw.

    Attributes:
        endings: how the offenders' connections ended, or what else was counted.
        failures: what the server should not have done.
        notes: figures worth printing.
        sent: bytes that the attackers sent.

    """

    endings: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sent: int = 0

    def expect(self, *allowed: str) -> None:
        """Fail if a connection ended in any other way."""
        wrong = self.endings.keys() - set(allowed)
        if wrong or not self.endings:
            self.failures.append(
                f"{sum(self.endings[ending] for ending in wrong)} offenders ended with "
                f"{', '.join(sorted(wrong)) or 'nothing'}, not {' or '.join(allowed)}"
            )


async def all_of(coroutines: Iterable[Awaitable[str]]) -> list[str]:
    """Run them all, at once; an exception counts as an ending by its name."""
    results = await asyncio.gather(*coroutines, return_exceptions=True)
    return [name_of(result) for result in results]


def name_of(result: str | BaseException) -> str:
    """Return how it ended."""
    if isinstance(result, Ended):
        return result.ending
    if isinstance(result, TimeoutError):
        return OPEN
    return type(result).__name__ if isinstance(result, BaseException) else result
