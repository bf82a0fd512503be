"""A process of its own for the attackers, and one for the readers that they must not disturb."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

STOP_SECONDS = 3.0


class Child:
    """A process at the other end of a pipe. A context manager: ends it."""

    def __init__(self, main: Callable[..., None], *arguments: Any) -> None:
        """Start it: it runs ``main(pipe, *arguments)``."""
        context = multiprocessing.get_context("spawn")  # a fork would copy the parent's state
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=main, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pipe.close()
        self._process.join(STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def ask(self, question: Any, seconds: float) -> Any:
        """Send a question and return the answer.

        Raises:
            RuntimeError: there was none in time, or an exception was the answer.

        """
        self.tell(question)
        if not self.answered(seconds):
            raise RuntimeError(f"no answer to {question!r} in {seconds:g} s")
        return self.answer()

    def tell(self, question: Any) -> None:
        """Send a question; `answered` and `answer` are for what comes of it."""
        with contextlib.suppress(OSError):  # it has ended: `answer` says so
            self._pipe.send(question)

    def answered(self, seconds: float) -> bool:
        """Return whether there is an answer, or none can come any more; wait up to `seconds`."""
        return self._pipe.poll(seconds)

    def answer(self) -> Any:
        """Return the answer; raise RuntimeError when it is an exception, or the process ended."""
        try:
            answer = self._pipe.recv()
        except (EOFError, OSError):
            raise RuntimeError("a client process ended") from None
        if isinstance(answer, Exception):
            raise RuntimeError(f"{type(answer).__name__}: {answer}") from answer  # noqa: TRY004
        return answer
