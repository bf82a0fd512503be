"""The readers that an attack must not disturb: each checks every character it gets."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
import uvloop

from benchmarks.abuse.child import Child
from benchmarks.abuse.wire import OTHER
from benchmarks.load.generator import Generator
from benchmarks.load.messages import Job, Report
from benchmarks.load.reader import CheckingReader, Reader

READERS = 4
RATE = 100.0
"""Characters a second: fast enough that each hundredth of a second of a stall shows."""

LONGEST = 400
"""Seconds of text: more than any attack takes, so that no stream ends and begins anew."""

ANSWER_SECONDS = 60.0

LEAST_DELIVERED = 0.97
"""Share of the pace that each must have got, or it was cut off."""


@dataclass(frozen=True)
class Served:
    """How they fared. Gaps between characters are in milliseconds."""

    gap_p50: float
    gap_p99: float
    gap_max: float
    exact: bool
    lost: int
    least: float

    @property
    def failure(self) -> str | None:
        """What they lack, whatever the gaps."""
        if self.lost:
            return f"{self.lost} good readers were cut off"
        if not self.exact:
            return "a good reader got a wrong text"
        if self.least < LEAST_DELIVERED:
            return f"a good reader got {self.least:.0%} of its characters"
        return None


class _Generator(Generator):
    """A load generator all of whose readers look at their characters."""

    def _new_reader(self) -> Reader:
        return CheckingReader(self.seen, self.job.text)

    async def close_window(self) -> Report:
        report = await super().close_window()
        report.exact = all(
            reader.exact for reader in self.readers if isinstance(reader, CheckingReader)
        )
        return report


class GoodReaders:
    """Paced readers in a process of their own. A context manager."""

    def __init__(self, port: int) -> None:
        """Connect them and start their streams; return when all have a first character.

        Raises:
            RuntimeError: not all of them were served.

        """
        # Not a sentence again and again: a reader that lost just one would not see it.
        text = "".join(
            random.Random(1).choices(string.ascii_letters + string.digits, k=int(LONGEST * RATE))
        )
        job = Job(port, READERS, RATE, text, "stream", "textstream", 20.0, 0.1, OTHER)
        self._child = Child(_main, job)
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> GoodReaders:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End them."""
        self._child.__exit__(None, None, None)

    def begin(self) -> None:
        """Take the time of the characters from now on."""
        self._child.ask("open_window", ANSWER_SECONDS)

    def end(self) -> Served:
        """Return how they fared since `begin`."""
        report: Report = self._child.ask("close_window", ANSWER_SECONDS)
        gaps = report.gaps * 1000
        return Served(
            gap_p50=float(np.percentile(gaps, 50)),
            gap_p99=float(np.percentile(gaps, 99)),
            gap_max=float(gaps.max()),
            exact=report.exact,
            lost=report.lost,
            # One more or less is a matter of where the window begins.
            least=float((report.counts.min() + 1) / (RATE * report.seconds)),
        )

    def _start(self) -> None:
        self._child.ask("connect", ANSWER_SECONDS)
        streaming = self._child.ask("start", ANSWER_SECONDS).streaming
        if streaming < READERS:
            raise RuntimeError(f"{streaming} of {READERS} good readers were served")


def _main(pipe: Connection, job: Job) -> None:
    uvloop.run(_Generator(job).serve(pipe))
