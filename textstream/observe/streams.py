"""What has become of streams, in numbers."""

from __future__ import annotations

from collections import Counter

from textstream.observe.figures import Counts


class StreamFigures:
    """Counts streams. Any thread.

    Attributes:
        started: by source.
        ended: by source and reason.
        resumed: readers that came later than the start: back, as viewers, or to another place.

    """

    def __init__(self) -> None:
        """Count nothing yet."""
        self.started = Counts()
        self.ended = Counts()
        self.resumed = Counts()

    def running(self) -> dict[str, int]:
        """Return how many have started and not ended, by source."""
        ended = self.ended.items()  # first: one that ends meanwhile has started, too
        running: Counter[str] = Counter()
        for (source,), count in self.started.items().items():
            running[source] += count
        for (source, _), count in ended.items():
            running[source] -= count
        return dict(running)
