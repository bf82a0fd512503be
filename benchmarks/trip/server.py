"""The server with a profiler in it, and the pipe by which it is told when to record."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.process import ServerProcess
from benchmarks.servers import Server
from benchmarks.trip.figures import Event

SCRIPT = Path(__file__).with_name("profiled.py")

ANSWER_SECONDS = 10.0


class ProfiledServer:
    """A running server. A context manager: ends it."""

    def __init__(self, server: Server) -> None:
        """Start one of ours, with the interpreter and in the tree that it says.

        Raises:
            RuntimeError: it did not start.

        """
        python = server.command[0]
        with ExitStack() as stack:
            listener = stack.enter_context(Listener(("127.0.0.1", 0)))
            command = (python, "-u", str(SCRIPT), str(listener.address[1]))
            process = ServerProcess(dataclasses.replace(server, command=command))
            stack.enter_context(process)
            self.port = process.port
            self._pipe: Connection = stack.enter_context(listener.accept())
            stack.pop_all()
        listener.close()
        self._process = process

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pipe.close()
        self._process.stop()

    def record(self) -> None:
        """Record from now on."""
        self._tell(recording=True)

    def recorded(self) -> list[Event]:
        """Record no more; return what was since `record`."""
        return self._tell(recording=False)

    def _tell(self, *, recording: bool) -> list[Event]:
        self._pipe.send(recording)
        if not self._pipe.poll(ANSWER_SECONDS):
            raise RuntimeError(f"the profiled server does not answer: {self._process.log_tail()}")
        return [Event(*event) for event in self._pipe.recv()]
