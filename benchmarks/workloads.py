"""What is asked of every server: how many readers, at which pace, of what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Steady = Literal["stream", "idle", "broadcast"]
"""Works that are a window of a steady state."""

Storm = Literal["connect", "leave", "start", "reconnect"]
Waiting = Literal["polling", "idle polling", "silent"]
Crowd = Literal["lives", "newcomers", Storm, Waiting]
"""Works of clients that come and go in numbers."""

Kind = Literal[Steady, "overload", Crowd]

RATE = 20.0
"""Characters per second of a paced reader: about as fast as one reads along."""

UNPACED_TEXT = 400_000
"""Characters of an unpaced stream. Long, so that starting streams is no part of the figure."""

MAX_PACED_TEXT = 100_000


@dataclass(frozen=True)
class Workload:
    """A workload.

    Attributes:
        name: as on the command line.
        kind: ``stream``: each reader starts a stream of its own. ``idle``: connects, no more.
            ``broadcast``: one stream that all read. ``overload``: twice the readers that
            saturate the server; `readers` is then the number of a first run that finds out.
            The others are of `Crowd`.
        readers: connections.
        rate: characters per second and reader; 0 is as fast as it goes.
        characters: of a stream that is read to its end.

    """

    name: str
    kind: Kind
    readers: int
    rate: float = RATE
    characters: int = 0

    @property
    def is_crowd(self) -> bool:
        """Whether clients come and go."""
        return self.kind in get_args(Crowd)

    @property
    def paced(self) -> bool:
        """Whether characters are due at a time, so that gaps between them mean something."""
        return self.kind != "idle" and self.rate > 0

    def text(self, seconds: float) -> str:
        """Return a text that outlasts `seconds` at the pace.

        ASCII without what JSON escapes, so that each ``new_char`` has the same size.
        """
        wanted = min(MAX_PACED_TEXT, int(self.rate * seconds) + 1) if self.paced else UNPACED_TEXT
        sentence = "The quick brown fox jumps over the lazy dog, and the dog does not mind. "
        return (sentence * (wanted // len(sentence) + 1))[:wanted]


PREFIXES: dict[str, tuple[Kind, float, int]] = {
    "unpaced": ("stream", 0.0, 0),
    "paced": ("stream", RATE, 0),
    "idle": ("idle", 0.0, 0),
    "fanout": ("broadcast", RATE, 0),
    "connect": ("connect", 0.0, 0),
    "leave": ("leave", 0.0, 0),
    "start": ("start", RATE, 2),
    "reconnect": ("reconnect", RATE, 400),
    "newcomers": ("newcomers", RATE, 0),
    "polling": ("polling", RATE, 200),
    "idlepolling": ("idle polling", 0.0, 0),
    "silent": ("silent", 0.0, 0),
}
"""What a name begins with: kind, rate, characters of a stream that ends."""

MAX_READERS = 20_000
"""Connections from one address to one port: the ephemeral ports are about 28,000."""

NAMES = ", ".join((*(f"{prefix}-N" for prefix in PREFIXES), "lifeC-N", "overload"))
"""All names: N clients, C characters."""

OVERLOAD = Workload("overload", "overload", 500)


def parse(name: str) -> Workload:
    """Return the workload of a name such as ``paced-1000``; any number will do.

    Raises:
        ValueError: there is no such workload.

    """
    if name == "overload":
        return OVERLOAD
    prefix, _, count = name.partition("-")
    if count.isdecimal() and 0 < int(count) <= MAX_READERS:
        if prefix in PREFIXES:
            kind, rate, characters = PREFIXES[prefix]
            return Workload(name, kind, int(count), rate, characters)
        if life := re.fullmatch(r"life([1-9]\d{0,4})", prefix):
            return Workload(name, "lives", int(count), RATE, int(life[1]))
    raise ValueError(
        f"no workload {name!r}; there are {NAMES}, with N up to {MAX_READERS} and C up to 99999"
    )


STANDARD = (
    *map(parse, ("unpaced-1", "unpaced-10", "paced-100", "paced-1000", "paced-4000", "paced-8000")),
    *map(parse, ("idle-4000", "fanout-1000", "overload")),
    *map(parse, ("life30-400", "life30-600", "life30-1200")),
    *map(parse, ("life400-400", "life400-600", "life400-1200")),
    *map(parse, ("connect-1000", "start-1000", "leave-1000", "reconnect-600", "newcomers-1200")),
    *map(parse, ("polling-200", "idlepolling-1000", "silent-1000")),
)
