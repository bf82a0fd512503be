"""Runs the trials of a case, one after the other, until it has seen so many cuts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from reliability.cuts import python_client, recipe
from reliability.cuts.case import CUTS_PER_STREAM, Case, Trial, trial
from reliability.cuts.verdict import Logged, Reading, Verdict, judge
from tests.support.running_server import RunningServer
from textstream.chaos import ChaosProxy, RandomPlan, Totals
from textstream.errors import TextStreamError
from textstream.loggable import fingerprint

READ = {"python": python_client.read, "recipe": recipe.read}

_LAST_FAULTS = 20


@dataclass(frozen=True)
class Tally:
    """What came of the streams of a case, summed up. Units are characters.

    Attributes:
        equal_end: streams whose text has the hash in ``stream_end``; likewise the server's log,
            and the truth.
        failures: a text for each stream of which anything is wrong, with how to repeat it.

    """

    case: Case
    cuts: int = 0
    connections: int = 0
    streams: int = 0
    characters: int = 0
    lost: int = 0
    doubled: int = 0
    equal_end: int = 0
    equal_log: int = 0
    equal_truth: int = 0
    failures: tuple[str, ...] = ()

    def plus(self, verdict: Verdict, totals: Totals) -> Tally:
        """Return the sum of this and one more stream."""
        return replace(
            self,
            cuts=self.cuts + totals.cuts,
            connections=self.connections + totals.connections,
            streams=self.streams + 1,
            characters=self.characters + verdict.characters,
            lost=self.lost + verdict.lost,
            doubled=self.doubled + verdict.doubled,
            equal_end=self.equal_end + verdict.as_end,
            equal_log=self.equal_log + verdict.as_log,
            equal_truth=self.equal_truth + verdict.as_truth,
        )


def run(
    case: Case,
    server: RunningServer,
    *,
    cuts: int,
    seed: int,
    until: float,
    say: Callable[[str], None],
) -> Tally:
    """Stream, cut, compare.

    Args:
        case: client, transport and source.
        server: logs JSON.
        cuts: how many to make, exactly.
        seed: decides the texts, and where each connection is cut.
        until: when to begin no further stream, in seconds of ``time.monotonic()``.
        say: is given a line for each stream. Called from this thread.

    """
    tally = Tally(case)
    while tally.cuts < cuts:
        number = tally.streams
        if time.monotonic() > until:
            late = f"{case}: out of time after {tally.cuts} of {cuts} cuts"
            return replace(tally, failures=(*tally.failures, late))
        of_this = trial(case, seed, number)
        faults: list[str] = []
        most = min(CUTS_PER_STREAM, cuts - tally.cuts)
        reading, totals = _read(case, server, of_this, most, faults)
        verdict = _judge(server, of_this, reading)
        tally = tally.plus(verdict, totals)
        say(f"{case}: stream {number}, {tally.cuts} of {cuts} cuts")
        if verdict.problems:
            failure = "\n  ".join(
                [
                    f"{case}: stream {number} of seed {seed}, cut at {of_this.cut_every}",
                    *verdict.problems,
                    *faults[-_LAST_FAULTS:],
                ]
            )
            say(failure)
            tally = replace(tally, failures=(*tally.failures, failure))
    return tally


def _read(
    case: Case, server: RunningServer, of_this: Trial, cuts: int, faults: list[str]
) -> tuple[Reading, Totals]:
    plan = RandomPlan(of_this.seed, cut_every=of_this.cut_every, cut="both")
    with ChaosProxy(server.address, plan=plan, max_cuts=cuts, log=faults.append) as proxy:
        reading = READ[case.client](proxy.url, case.transport, of_this)
        return reading, proxy.totals


def _judge(server: RunningServer, of_this: Trial, reading: Reading) -> Verdict:
    logged = _logged(server, reading.id) if reading.id else None
    truth = of_this.truth
    if truth is None:
        # The model's text is known to the server alone. Asked again without any cut, it must be
        # the one that it has logged: `judge` compares that hash with the text that was cut.
        try:
            truth = python_client.replay(server.address, reading.id) if reading.id else []
        except TextStreamError as error:
            truth = []
            reading = replace(reading, error=f"{reading.error}; no replay: {error}".strip("; "))
    return judge(truth, reading, logged)


def _logged(server: RunningServer, id_: str) -> Logged | None:
    """Return what the server's line about the end of a stream says; None: there is none."""
    shown = fingerprint(id_)
    try:
        log = server.wait_for_log(lambda log: any(end["stream"] == shown for end in _ends(log)))
    except TimeoutError:
        return None
    ends = _ends(log)
    this = next(end for end in ends if end["stream"] == shown)
    times = sum(end["sha256"] == this["sha256"] for end in ends)
    return Logged(this["units"], this["sha256"], times)


def _ends(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if '"stream ended"' in line]
