"""What a stream is started with, from the client's event to the stream and its first reader."""

from __future__ import annotations

from dataclasses import dataclass, field

from textstream.protocol import FormatName, OnDisconnect, Rate
from textstream.sources.base import Source, SourceRequest

TEXT_RATE = 30.0
"""Units per second of a source that is not live, when the client names no pace."""

PACED_AHEAD = 2048
UNPACED_AHEAD = 16_384
"""Units that a source which is not live may run ahead, paced and unpaced.

Its text is there already. Taking all of it at once, for a thousand readers that come together,
would keep the first characters waiting that are due.
"""

AHEAD_BYTES = 16_384
"""Bytes that such a source may run ahead: a word is up to 4,096 characters."""


@dataclass(frozen=True, slots=True)
class Start:
    """A start, whole.

    Attributes:
        source: where the text comes from.
        request: what it is asked for.
        rate: the pace, None: the source's default.
        format: how its first reader is written to.
        on_disconnect: whether it goes on when its last reader has gone.
        request_id: the client's name for this start: again, it answers with the same stream.
        digest: of what was asked, where there is a name: again, it must be the same.

    """

    source: Source
    request: SourceRequest = field(default_factory=SourceRequest)
    rate: Rate | None = None
    format: FormatName = "char"
    on_disconnect: OnDisconnect = "continue"
    request_id: str | None = None
    digest: bytes = b""

    @property
    def pace(self) -> Rate:
        """The pace that its readers have where they name none."""
        if self.rate is None:
            return "auto" if self.source.live else TEXT_RATE
        return self.rate


@dataclass(frozen=True)
class StreamLimits:
    """How long and how large a stream may be. Units and defaults: `textstream.settings`."""

    lookahead: int = 65_536
    grace: float = 60.0
    retention: float = 300.0
    max_duration: float = 86_400.0
    max_units: int = 1_000_000
