"""One soak, from the server's start to its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from reliability.soak.sampler import Sample, Sampler
from reliability.soak.tally import Tally
from reliability.soak.target import GRACE, HEARTBEAT, ServerName, Target
from reliability.soak.verdict import ALL_SERIES, MEGABYTE, Verdict, judge
from reliability.soak.workers import Workers
from tests.support.leaks import LeakGuard
from textstream.chaos import ByteRange, ChaosProxy, RandomPlan, Totals
from textstream.errors import SourceUnavailable
from textstream.sources.local_llm import LocalModel

FAULTS = {"cut_every": ByteRange(200, 16_000), "stall_every": ByteRange(2000, 60_000)}
STALL_SECONDS = 0.3
"""The network: each connection is cut after so many bytes to the client, and stalls in between."""

SESSION_SECONDS = 4 * HEARTBEAT
"""To a heartbeat, for its answer, and up to twice that until Engine.IO looks for who gave none."""

SETTLE_SECONDS = GRACE + SESSION_SECONDS + 20.0
"""Streams' grace, heartbeats of who left without a word, threads idle for 10 s."""

CROWD = 2
"""How many times the clients there are in the warm-up.

An allocator keeps what the busiest moment took, and busier ones come ever more rarely: with the
same number of clients throughout, memory rose by 4 MB an hour for that alone. With twice as many
the busiest moment lies in the warm-up. What a leak takes could hide in what is left over from it;
that is why what is in use is judged as well.
"""

CALM_SECONDS = GRACE + SESSION_SECONDS
"""From the crowd's end to the warm-up's, half of it at most: what they left is gone by then."""

PROGRESS_SECONDS = 30.0

POLL_SECONDS = 0.25

MOST_TYPES = 15

Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What to do.

    Attributes:
        seconds: how long to work, warm-up included.
        warm_up: of these, how many are not looked at; there are `CROWD` times the workers then.
        clients: how many workers.
        seed: decides the episodes, their texts and the faults; not how they interleave.
        server: what serves.
        model: whether to use the local model too, where it is installed.

    """

    seconds: float
    warm_up: float
    clients: int = 8
    seed: int = 1
    server: ServerName = "front"
    model: bool = True


@dataclass(frozen=True)
class Report:
    """What came of it.

    Attributes:
        options: what was asked for.
        counts: what was done.
        faults: what the proxy did.
        verdicts: the trend of each figure after the warm-up.
        before, after: the server at rest: before the first client, and after the last one.
        grown: types of objects of which there are more than before, with how many more.
        wrong: all that is not as it should be, beside trends; empty is good.
        samples: the figures, one about each second.

    """

    options: Options
    counts: dict[str, int]
    faults: Totals
    verdicts: list[Verdict]
    before: Sample
    after: Sample
    grown: dict[str, int]
    wrong: list[str]
    samples: list[Sample]

    @property
    def rising(self) -> list[str]:
        """The figures that rise, by name."""
        return [verdict.series.name for verdict in self.verdicts if verdict.wrong]


def has_model() -> bool:
    """Whether the local model is installed."""
    try:
        LocalModel(model=None, slots=1, context=256, threads=0).check()
    except SourceUnavailable:
        return False
    return True


def soak(options: Options, say: Say, leak_guard: LeakGuard) -> Report:
    """Start a server, let clients come and go, and look at what it uses.

    Args:
        options: what to do.
        say: is given a line now and then.
        leak_guard: see `tests.support.running_server`.

    Raises:
        RuntimeError: the server did not start, or could not be looked at.

    """
    model = options.model and has_model()
    target = Target(options.server, preload=model, leak_guard=leak_guard)
    try:
        return _Soak(options, target, model, say).run()
    finally:
        target.close()


class _Soak:
    def __init__(self, options: Options, target: Target, model: bool, say: Say) -> None:
        self._options = options
        self._target = target
        self._model = model
        self._say = say
        self._tally = Tally()
        self._said = 0  # failures

    def run(self) -> Report:
        sampler = Sampler(self._target)
        try:
            types = sampler.types()
            faults = self._work(sampler)
            sampler.rest()
            after = self._settle(sampler)
            grown = _grown(types, sampler.types())
        finally:
            sampler.close()
        code = self._target.close()
        before, *working = sampler.samples
        judged = [sample for sample in working if sample.at >= self._options.warm_up]
        verdicts = [judge(series, judged) for series in ALL_SERIES]
        return Report(
            options=self._options,
            counts=dict(sorted(self._tally.counts.items())),
            faults=faults,
            verdicts=verdicts,
            before=before,
            after=after,
            grown=grown,
            wrong=[
                *self._tally.failures,
                *self._tally.compare_with_log(self._target.log_text()),
                *self._left(before, after),
                *([sampler.failure] if sampler.failure else []),
                *([f"the server ended with exit code {code}"] if code else []),
            ],
            samples=sampler.samples,
        )

    def _work(self, sampler: Sampler) -> Totals:
        """Let the workers work; return what the network did to them."""
        options = self._options
        plan = RandomPlan(options.seed, cut="both", stall=STALL_SECONDS, **FAULTS)
        with ChaosProxy(("127.0.0.1", self._target.port), plan=plan) as network:
            workers = Workers(
                network.url,
                CROWD * options.clients,
                options.seed,
                model=self._model,
                tally=self._tally,
            )
            began = time.monotonic()
            crowd = max(options.warm_up - CALM_SECONDS, options.warm_up / 2)
            try:
                self._wait(sampler, network, began + crowd)
                workers.keep(options.clients)
                self._wait(sampler, network, began + options.seconds)
            finally:
                workers.stop()
            return network.totals

    def _wait(self, sampler: Sampler, network: ChaosProxy, end: float) -> None:
        """Report on the progress until `end`, or until the server cannot be looked at any more."""
        while (left := end - time.monotonic()) > 0 and not sampler.failure:
            sampler.ended.wait(min(left, PROGRESS_SECONDS))
            self._progress(sampler.samples[-1], network.totals)

    def _settle(self, sampler: Sampler) -> Sample:
        """Wait until the server is at rest as it was before, but not for ever; look at it then."""
        before, began = sampler.samples[0], time.monotonic()
        # Sessions that were left are no threads and no descriptors, but memory. In a short soak
        # nobody looks at that.
        earliest = began + min(SESSION_SECONDS, self._options.seconds)
        deadline = began + SETTLE_SECONDS
        while time.monotonic() < deadline:
            now = self._target.usage()
            busy = now.threads > before.threads or now.descriptors > before.descriptors
            quiet = not busy and self._target.running_streams() == 0
            if quiet and time.monotonic() > earliest:
                break
            time.sleep(POLL_SECONDS)  # the kernel tells nobody when a thread has ended
        return sampler.sample()

    def _left(self, before: Sample, after: Sample) -> list[str]:
        """Say what is left of all that came and went."""
        spare = self._target.spare_threads
        left = {
            "threads": after.threads - before.threads - spare,
            "descriptors": after.descriptors - before.descriptors,
            "running streams": after.streams,
        }
        return [f"{number} {what} are left" for what, number in left.items() if number > 0]

    def _progress(self, sample: Sample, faults: Totals) -> None:
        counts = self._tally.counts
        for failure in self._tally.failures[self._said :]:
            self._say(f"WRONG: {failure}")
            self._said += 1
        self._say(
            f"{sample.at:5.0f} s  {counts['episodes']} episodes, {counts['texts']} texts exact, "
            f"{faults.cuts} cuts, {counts['failures']} failures; {sample.streams} streams, "
            f"{sample.resident / MEGABYTE:.1f} MB, {sample.blocks} blocks, "
            f"{sample.threads} threads, {sample.descriptors} descriptors"
        )


def _grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """Return of which types there are more objects than before, the most of them first."""
    more = Counter(after)
    more.subtract(before)
    return {name: number for name, number in more.most_common(MOST_TYPES) if number > 0}
