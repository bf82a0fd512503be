"""The benchmark's end of the generator processes."""

from __future__ import annotations

import dataclasses
import multiprocessing
from collections import Counter
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Self

import numpy as np

from benchmarks.load.messages import Connected, Job, Report, Started

ANSWER_SECONDS = 60.0
"""How long a generator may take for an answer, beyond what its job allows."""


class LoadGenerators:
    """Generator processes that share the readers of a job. A context manager: ends them."""

    def __init__(self, job: Job, processes: int) -> None:
        """Start them.

        Args:
            job: for all of them together.
            processes: how many; a broadcast takes one, whatever this says.

        """
        processes = 1 if job.kind == "broadcast" else min(processes, job.readers)
        context = multiprocessing.get_context("spawn")  # a fork would copy the benchmark's state
        self._patience = job.connect_seconds + job.start_seconds + ANSWER_SECONDS
        self._pipes: list[Connection] = []
        self._processes: list[BaseProcess] = []
        for number in range(processes):
            share = job.readers // processes + (number < job.readers % processes)
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_run, args=(theirs, dataclasses.replace(job, readers=share)), daemon=True
            )
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(3.0)
            if process.is_alive():
                process.kill()
                process.join()

    def connect(self) -> Connected:
        """Connect all readers, or as many as the server takes in time."""
        answers = self._all("connect")
        return Connected(sum(a.count for a in answers), max(a.seconds for a in answers))

    def start(self) -> Started:
        """Start all streams; return when all have a first character, or after a while."""
        return Started(sum(answer.streaming for answer in self._all("start")))

    def open_window(self) -> None:
        """Count from now on."""
        self._all("open_window")

    def close_window(self) -> Report:
        """Stop counting; return what all of them saw."""
        reports: list[Report] = self._all("close_window")
        errors: Counter[str] = Counter()
        for report in reports:
            errors.update(report.errors)
        return Report(
            seconds=float(np.mean([report.seconds for report in reports])),
            counts=np.concatenate([report.counts for report in reports]),
            first=np.concatenate([report.first for report in reports]),
            gaps=np.concatenate([report.gaps for report in reports]),
            round_trips=np.concatenate([report.round_trips for report in reports]),
            pings=min((r.pings for r in reports if r.pings is not None), default=None),
            cpu=max(report.cpu for report in reports),
            cpu_of_all=sum(report.cpu_of_all for report in reports),
            lost=sum(report.lost for report in reports),
            exact=all(report.exact for report in reports),
            errors=dict(errors),
        )

    def _all(self, command: str) -> list[Any]:
        """Tell all processes, then take their answers.

        Raises:
            TimeoutError: one does not answer.
            Exception: what one answered with.

        """
        for pipe in self._pipes:
            pipe.send(command)
        answers = []
        for pipe in self._pipes:
            if not pipe.poll(self._patience):
                raise TimeoutError(f"a load generator does not answer to {command}")
            answer = pipe.recv()
            if isinstance(answer, Exception):
                raise answer
            answers.append(answer)
        return answers


def _run(pipe: Connection, job: Job) -> None:
    # Imported in the generator's process only: the benchmark itself needs no WebSockets.
    from benchmarks.load.generator import main  # noqa: PLC0415

    main(pipe, job)
