"""A work of the crowd, in a process of its own."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection

from benchmarks.crowd import lives, storms, waiting
from benchmarks.crowd.loop import Loop
from benchmarks.crowd.scene import Scene
from benchmarks.result import Result
from benchmarks.workloads import Kind, Workload

WORKS: dict[Kind, Callable[[Scene, Workload, Result], None]] = {
    "lives": lives.lives,
    "connect": storms.connect,
    "leave": storms.leave,
    "start": storms.start,
    "reconnect": storms.reconnect,
    "newcomers": lives.newcomers,
    "polling": waiting.polling,
    "idle polling": waiting.idle_polling,
    "silent": waiting.silent,
}

LONGEST = 600.0
"""Seconds that a work may take, all told."""


def run(workload: Workload, port: int, pid: int, result: Result, secret: str = "") -> Result:
    """Put a crowd on a server; return the result, filled in. Of `secret` see `Scene`.

    Raises:
        RuntimeError: the process ended.
        TimeoutError: the server did not do it, or not in time.

    """
    context = multiprocessing.get_context("spawn")  # a fork would copy the benchmark's state
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_main,
        args=(theirs, workload, port, pid, result),
        kwargs={"secret": secret},
        daemon=True,
    )
    process.start()
    theirs.close()
    try:
        if not ours.poll(LONGEST):
            raise TimeoutError(f"not done within {LONGEST:.0f} s")
        answer = ours.recv()
    except EOFError:
        raise RuntimeError("the load generator ended") from None
    finally:
        ours.close()
        process.kill()
        process.join()
    if isinstance(answer, Exception):
        raise answer
    assert isinstance(answer, Result)
    return answer


def _main(
    pipe: Connection, workload: Workload, port: int, pid: int, result: Result, *, secret: str
) -> None:
    try:
        with Loop() as loop:
            scene = Scene(port, pid, loop, secret)
            scene.prime(workload.readers)
            gc.collect()
            gc.freeze()
            gc.disable()
            WORKS[workload.kind](scene, workload, result)
            result.add_errors(scene.seen.errors)
        pipe.send(result)
    except Exception as error:  # noqa: BLE001 (the parent raises it)
        pipe.send(error)
