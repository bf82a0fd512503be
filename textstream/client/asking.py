"""Asks the server about a stream that is read, and waits for the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textstream.client.link import Link, OnOk
from textstream.client.reader import Reader
from textstream.client.session import Session
from textstream.errors import InvalidRequest, ServerUnreachable, TextStreamError


class Asking:
    """Asks about one stream, over whatever connection there is."""

    def __init__(self, session: Session, reader: Reader, timeout: float) -> None:
        """Ask about what `reader` reads; `timeout` is for each answer, in seconds."""
        self._session = session
        self._reader = reader
        self._timeout = timeout

    def owners(self, event: str, **fields: Any) -> dict[str, Any]:
        """Ask for something that is its owner's, on this connection or the next; return the answer.

        What is done twice, since an answer was lost, does no harm.
        """
        reader, session = self._reader, self._session
        with session.changed:
            while not reader.over:
                if not session.changed.wait_for(lambda: session.link or reader.over, self._timeout):
                    raise ServerUnreachable("There is no connection to the server. Ask again.")
                if session.link is None:
                    break
                if answer := self.ask(session.link, event, fields | reader.shown_key):
                    return answer
        raise InvalidRequest(
            "This client does not read that stream any more. Resume it with its key, and ask then."
        )

    def ask(
        self, link: Link, event: str, fields: dict[str, Any], then: OnOk = lambda _answer: None
    ) -> dict[str, Any] | None:
        """Ask something over `link`; return the answer, with which `then` was called.

        None is that the link, or the stream, is over. Called with the lock held.

        Raises:
            ServerUnreachable: the server did not answer in time.
            TextStreamError: it refuses.

        """
        answers: list[dict[str, Any]] = []
        errors: list[TextStreamError] = []
        reader, session = self._reader, self._session

        def accepted(answer: dict[str, Any]) -> None:
            then(answer)
            answers.append(answer)

        def wait_for(what: Callable[[], object]) -> None:
            if not session.changed.wait_for(
                lambda: what() or reader.over or session.link is not link, self._timeout
            ):
                raise ServerUnreachable("The server did not answer. Ask again.")

        # A resume that is under way asks for what was so before.
        wait_for(lambda: reader.attached)
        if reader.over or session.link is not link:
            return None
        link.request(reader, event, accepted, errors.append, **fields)
        wait_for(lambda: answers or errors)
        if errors and not reader.over:
            raise errors[0]
        return answers[0] if answers else None
