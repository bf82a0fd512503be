"""A POST whose packets are handled by workers: it waits without a thread."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from engineio.exceptions import EngineIOError

from textstream.loggable import log_exception
from textstream.transport.answers import Answer, refusal
from textstream.transport.polls import REFUSAL
from textstream.transport.waits import WAKE, Once, Wait
from textstream.transport.watchers import Wake

logger = logging.getLogger("textstream.transport")


class ParkedPost:
    """One client's POST, from its coming, with its body, until all its packets are handled.

    They are handled in any case: that its connection has gone changes nothing.
    """

    nbytes = 0
    """Bytes that wait for it."""

    def __init__(
        self, session: Any, environ: dict[str, Any], steps: Iterator[Wait], wake: Wake
    ) -> None:
        """Let `wake` be called when it can be answered.

        Args:
            session: a `session.Session`.
            environ: the request's.
            steps: what handles its packets, as `session.Session.packets_of`.
            wake: see `Wake`.

        """
        self._shared = session.shared
        self._eio = session.server
        self._environ = environ
        self._steps: Iterator[Wait] = steps
        self._wake = Once(wake)
        self._refused = False

    @classmethod
    def going_on(
        cls, session: Any, environ: dict[str, Any], steps: Iterator[Wait], wait: Wait
    ) -> ParkedPost:
        """Go on when a wait is over, for who is woken as `WAKE` in the environ says."""
        wake = environ[WAKE]
        post = cls(session, environ, steps, lambda: wake(post))
        wait.then(post.start)
        return post

    def start(self) -> None:
        """Begin to handle packets, or go on. Does not block."""
        self._shared.submit(self._go_on)

    def _go_on(self) -> None:
        """Handle packets until one has to wait, or all are handled. In a worker."""
        try:
            wait = next(self._steps, None)
        except EngineIOError:
            wait, self._refused = None, True
        except Exception as error:  # noqa: BLE001 (of whatever kind: as Engine.IO does)
            log_exception(logger, "a request with packets failed", error=error)
            wait = None
        if wait is not None:
            wait.then(self.start)
        else:
            self._wake()

    def take(self) -> dict[str, Any]:
        """Return its response, as Engine.IO passes them around."""
        if self._refused:
            return refusal(Answer.BAD_REQUEST, self._environ.get(REFUSAL, ""))
        response: dict[str, Any] = self._eio._ok()
        # In lower case, as the protocol's own examples have it. Engine.IO's is not.
        return {**response, "response": b"ok"}

    def leave(self) -> None:
        """Answer nobody: its connection has gone."""
        self._wake.cancel()

    def give_back(self) -> None:
        """Answer nobody: there is no room for it."""
        self._wake.cancel()
