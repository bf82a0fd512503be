"""What passes between the benchmark and a generator process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.workloads import Steady

Dialect = Literal["textstream", "peer"]
"""How viewers of one stream join it; all else is the same for all servers."""

CATCHING_UP = 1.05
"""A server that was late owes its readers characters. While more than this share of the pace
arrives it is paying back, several characters in one write: that is no steady state."""


@dataclass(frozen=True)
class Job:
    """What one generator process has to do.

    Attributes:
        port: of the server, on 127.0.0.1.
        readers: connections of this process.
        rate: characters per second and reader; 0 is unpaced.
        text: what the server is to stream.
        kind: a stream for each reader, one for all of them (``broadcast``), or none.
        dialect: how readers join the one for all.
        connect_seconds: at most, for all connections together.
        start_seconds: the starts of the streams are spread evenly over this time.
        source: the address that they come from; None: the system's choice.

    """

    port: int
    readers: int
    rate: float
    text: str
    kind: Steady
    dialect: Dialect
    connect_seconds: float
    start_seconds: float
    source: str | None = None


@dataclass(frozen=True)
class Connected:
    """How many connected, and how long that took."""

    count: int
    seconds: float


@dataclass(frozen=True)
class Started:
    """How many have received a first character."""

    streaming: int


@dataclass
class Report:
    """What one generator process saw in the window. Times are in seconds.

    Attributes:
        seconds: length of the window, by the generator's clock.
        counts: characters in the window, for each connected reader (an array of int64).
        first: time to the first character of each reader that got one (float64).
        gaps: between two characters of a reader (float32); at the window's end the open gap of
            a reader that is overdue counts as well, or a server that hangs would look good.
        round_trips: of the WebSocket pings that were answered in the window.
        pings: share of those sent that were answered; None: none was sent.
        cpu: seconds of CPU of this process in the window; of several, of the busiest.
        cpu_of_all: the same, of several the sum.
        lost: connections that ended.
        exact: whether the readers that look at their characters got just the text.
        errors: what went wrong, and how often.

    """

    seconds: float
    counts: Any
    first: Any
    gaps: Any
    round_trips: Any
    pings: float | None
    cpu: float
    cpu_of_all: float
    lost: int
    exact: bool
    errors: dict[str, int] = field(default_factory=dict)
