"""The audit log: who came, who was refused what, who started, read and stopped which stream.

One line for each, of the logger ``textstream.audit``. Ids are fingerprints, as everywhere in the
log; no token, key, grant, prompt or text is in a line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from textstream.access.caller import NOBODY, Caller
from textstream.access.rates import Rates, parse_rate
from textstream.log_lines import CallAt, SoonLines
from textstream.loggable import fingerprint

LOGGER = "textstream.audit"

OFTEN = parse_rate("1/minute")
"""How often an address is told of for one kind of refusal: whoever floods floods this too."""

Event = Literal[
    "connected",
    "disconnected",
    "refused",
    "started",
    "read by another",
    "stopped",
    "shared",
    "unshared",
    "quota hit",
    "admin",
]
"""What a line says behind ``audit: ``."""

Fact = str | int | float | bool | None
"""None is left out of the line."""


class AuditLog:
    """Writes the lines. Any thread, whatever locks are held but that of `Rates`.

    Where there is no audit log there is no such object: then it costs a comparison.
    """

    def __init__(self, *, call_at: CallAt, clock: Callable[[], float]) -> None:
        """Write from now on, whatever the level of the other loggers is.

        Args:
            call_at: calls back at a time of the clock, with no lock held: then lines are written.
            clock: seconds, monotonic.

        """
        logger = logging.getLogger(LOGGER)
        logger.setLevel(logging.INFO)
        self._lines = SoonLines(logger, call_at=call_at, clock=clock)
        self._told = Rates(clock)

    def tell(
        self, event: Event, caller: Caller = NOBODY, stream: str = "", /, **facts: Fact
    ) -> None:
        """Write a line.

        Args:
            event: what has happened.
            caller: who did it, as far as that is known.
            stream: the id of the stream, where it is about one.
            facts: what else is to be said. No ids.

        """
        self._lines.add(f"audit: {event}", partial(_shown, caller, stream, facts))

    def refuse(
        self, event: Literal["refused", "quota hit"], caller: Caller, code: str, /, **facts: Fact
    ) -> None:
        """Write that somebody is refused something, once a minute for each address and code."""
        if not self._told.take(OFTEN, code, caller.address):
            self.tell(event, caller, code=code, **facts)


def _shown(caller: Caller, stream: str, facts: dict[str, Fact]) -> dict[str, Any]:
    """Return what a line carries: made when it is written, for fingerprints take a microsecond."""
    shown: dict[str, Any] = {}
    if stream:
        shown["stream"] = fingerprint(stream)
    if caller.address:
        shown["address"] = caller.address
    if caller.connection:
        shown["connection"] = fingerprint(caller.connection)
    return shown | {name: fact for name, fact in facts.items() if fact is not None}
