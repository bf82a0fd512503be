"""What is asked of every server: how many readers, at which pace, of what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["stream", "idle", "broadcast", "overload"]

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
        readers: connections.
        rate: characters per second and reader; 0 is as fast as it goes.

    """

    name: str
    kind: Kind
    readers: int
    rate: float = RATE

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


PREFIXES: dict[str, tuple[Kind, float]] = {
    "unpaced": ("stream", 0.0),
    "paced": ("stream", RATE),
    "idle": ("idle", 0.0),
    "fanout": ("broadcast", RATE),
}

MAX_READERS = 20_000
"""Connections from one address to one port: the ephemeral ports are about 28,000."""


OVERLOAD = Workload("overload", "overload", 500)


def parse(name: str) -> Workload:
    """Return the workload of a name such as ``paced-1000``; any number will do.

    Raises:
        ValueError: there is no such workload.

    """
    if name == "overload":
        return OVERLOAD
    prefix, _, count = name.partition("-")
    if prefix in PREFIXES and count.isdecimal() and 0 < int(count) <= MAX_READERS:
        kind, rate = PREFIXES[prefix]
        return Workload(name, kind, int(count), rate)
    raise ValueError(
        f"no workload {name!r}; there are "
        + ", ".join(f"{prefix}-N" for prefix in PREFIXES)
        + f" with N up to {MAX_READERS}, and overload"
    )


STANDARD = (
    *map(parse, ("unpaced-1", "unpaced-10", "paced-100", "paced-1000", "paced-4000", "paced-8000")),
    *map(parse, ("idle-4000", "fanout-1000", "overload")),
)
