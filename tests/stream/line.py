"""One stream with its producer, on threads that a test runs or on real ones."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from tests.support.clock import ManualTimer
from tests.support.doubles import PLENTY, OnDemandPool, new_stream
from textstream.access.account import Account, Kind
from textstream.access.caller import NOBODY, Caller
from textstream.protocol import EndReason, UnitName
from textstream.sources.base import CancelToken, Source, SourceRequest
from textstream.stream.memory_log import MemoryLog
from textstream.stream.producer import Producer
from textstream.stream.start import Start


class Line:
    """One stream with its producer, on a pool that runs on demand."""

    def __init__(
        self,
        source: Source,
        *,
        unit: UnitName = "char",
        lookahead: int = 1000,
        max_bytes: int = 100_000,
        max_units: int = PLENTY,
        pools: Any = None,
        caller: Caller = NOBODY,
        prompt: str | None = None,
    ) -> None:
        self.pool = pools if pools is not None else cast("Any", OnDemandPool())
        self.cancel = CancelToken()
        self.kept = Account()
        self.log = MemoryLog("s", partial(self.kept.add, Kind.TEXT), max_bytes=max_bytes)
        params = source.params_model()
        request = SourceRequest(prompt, params, cancel=self.cancel, unit=unit, caller=caller)
        start = Start(source, request, rate=0)
        self.stream = new_stream(
            start=start, log=self.log, lookahead=lookahead, max_units=max_units
        )
        timer = ManualTimer()
        Producer(self.stream, start, self.pool, clock=timer, call_at=timer.call_at).start()

    def run(self) -> Line:
        """Run the producer until it has nothing to do."""
        while self.pool.run_one():
            pass
        return self

    @property
    def units(self) -> list[str]:
        return list(self.log.read(0, 1_000_000) or ())

    @property
    def text(self) -> str:
        return "".join(self.units)

    @property
    def ended(self) -> tuple[EndReason, int]:
        """How it ends when a reader has read it all."""
        self.stream.furthest = self.log.next
        assert self.stream.stop("expired") == self.log.next
        assert self.stream.ending
        return self.stream.ending.reason, self.stream.ending.offset

    @property
    def error(self) -> dict[str, Any]:
        assert self.stream.ending
        assert self.stream.ending.error
        return self.stream.ending.error
