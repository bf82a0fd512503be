"""What processes ask of one another: messages on a channel of each, and answers.

A message may be lost (PUBLISH is at most once), so nothing rests on one: what is asked is asked
again, or there is a time after which it goes on without the answer.
"""

from __future__ import annotations

import itertools
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

from textstream.store.keys import Keys
from textstream.store.link import Link
from textstream.store.wire import Command

logger = logging.getLogger("textstream.store")

Message = dict[str, Any]
Handler = Callable[[Message], Message | None]
"""Called in the store's thread; what it returns is the answer, None: there is none, or not yet."""


class Question:
    """Something asked of another process."""

    def __init__(self) -> None:
        self._answered = threading.Event()
        self.answer: Message | None = None
        self.refused = False

    def wait(self, timeout: float) -> Message | None:
        """Return the answer; None: there is none in `timeout` seconds, or nobody to give it."""
        self._answered.wait(max(0.0, timeout))
        return self.answer

    def take(self, answer: Message | None) -> None:
        """Know the answer; None: nobody is there."""
        self.answer, self.refused = answer, answer is None
        self._answered.set()


class Control:
    """Asks and answers for this process. `ask` and `tell` for any thread.

    Attributes:
        process: this one.

    """

    def __init__(self, link: Link, keys: Keys) -> None:
        """Ask by `link`."""
        self._link = link
        self._keys = keys
        self.process = ""
        self._numbers = itertools.count(1)
        self._open: dict[int, Question] = {}
        self._handlers: dict[str, Handler] = {}

    def on(self, what: str, handler: Handler) -> None:
        """Have `handler` called when that is asked, or told."""
        self._handlers[what] = handler

    def subscribe(self) -> Command:
        """Return the command that lets this process be asked."""
        return ("SUBSCRIBE", self._keys.control(self.process))

    def tell(self, process: str, what: str, **message: Any) -> None:
        """Send a message that wants no answer."""
        self._link.send([self.message(process, what, **message)])

    def message(self, process: str, what: str, **message: Any) -> Command:
        """Return the command that sends one."""
        text = json.dumps({"op": what, "from": self.process, **message})
        return ("PUBLISH", self._keys.control(process), text)

    def ask(self, process: str, what: str, **message: Any) -> Question:
        """Ask something."""
        number, question = next(self._numbers), Question()
        self._open[number] = question

        def sent(replies: list[Any] | None) -> None:
            if not replies or replies[0] == 0:
                self._open.pop(number, None)
                question.take(None)

        self._link.send([self.message(process, what, n=number, **message)], sent)
        return question

    def forget(self, question: Question) -> None:
        """Wait for its answer no longer."""
        for number, one in list(self._open.items()):
            if one is question:
                del self._open[number]

    def answer(self, asked: Message, answer: Message) -> None:
        """Answer what was asked, in whatever thread."""
        self.tell(asked["from"], "answer", re=asked["n"], **answer)

    def take(self, text: bytes) -> None:
        """Handle a message. The store's thread only."""
        message: Message = json.loads(text)
        if message["op"] == "answer":
            question = self._open.pop(message["re"], None)
            if question:
                question.take(message)
            return
        handler = self._handlers.get(message["op"])
        if handler is None:  # of a newer release
            logger.debug("another process asks for %s", message["op"])
            return
        answer = handler(message)
        if answer is not None and "n" in message:
            self.answer(message, answer)
