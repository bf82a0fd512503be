"""One answer of the source ``openai``: asks for it, reads it to its end, says how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from textstream.errors import SourceFailed, TextStreamError
from textstream.sources.answer_body import AnswerBody
from textstream.sources.base import Finished
from textstream.sources.openai_errors import TIMED_OUT, Refused, explain_refusal
from textstream.sources.openai_params import for_ever, refused_names, without

if TYPE_CHECKING:
    from httpx2 import Response

    from textstream.sources.openai_http import ApiHttp

logger = logging.getLogger("textstream.sources.openai")

END_SECONDS = 2.0
"""How long the end may take to come behind a ``finish_reason``; then it is not waited for."""

Say = Callable[[str], Awaitable[None]]
"""Hands text on, and returns when there is room for more."""


class Exchanges:
    """Asks one API, again and again; what it would not take once it is not sent again."""

    def __init__(self, http: ApiHttp, *, timeout: float, end_wait: float = END_SECONDS) -> None:
        """Use `http`.

        Args:
            http: what sends the requests.
            timeout: seconds that the API may be silent: no text, no reasoning, no call of a tool.
                What only keeps the connection alive does not count.
            end_wait: seconds that the end may take behind a ``finish_reason``.

        """
        self._http = http
        self._timeout = timeout
        self._end_wait = end_wait
        self._refused: set[str] = set()  # names that the API does not know, whatever the value

    async def answer(self, body: dict[str, Any], say: Say) -> Finished:
        """Ask with `body`, hand the text to `say`, and return how the answer ended.

        Raises:
            InvalidRequest: the API refused the request as it is.
            SourceFailed: it refused it for another reason, failed, or did not finish its answer.
            SourceUnavailable: what the environment says of it makes no sense.

        """
        names = set(self._refused)
        while True:
            asked = without(body, names) or body
            try:
                return await self._ask(asked, say)
            except Refused as refused:
                more = (refused_names(asked, refused) & asked.keys()) - names
                if not more or without(body, names | more) is None:
                    raise explain_refusal(refused) from None
                names |= more
                if for_ever(refused):
                    self._refused |= more
                logger.warning("the API refuses %s: asked without", ", ".join(sorted(more)))

    async def _ask(self, body: dict[str, Any], say: Say) -> Finished:
        async with contextlib.AsyncExitStack() as stack:
            try:
                # The bounds of HTTP's own are for each read: a head that trickles keeps them all.
                async with asyncio.timeout(self._http.connect_seconds + self._timeout):
                    response = await stack.enter_async_context(self._http.ask(body))
            except TimeoutError:
                raise SourceFailed(TIMED_OUT) from None
            return await self._read(response, say)

    async def _read(self, response: Response, say: Say) -> Finished:
        body = AnswerBody(response.headers.get("content-type", ""))
        failure: TextStreamError | None = None
        try:
            await self._read_body(response, body, say)
        except TimeoutError:
            failure = SourceFailed(TIMED_OUT)
        except TextStreamError as error:
            failure = error
        for text in body.close():
            if text:
                await say(text)
        return body.ending(failure)

    async def _read_body(self, response: Response, body: AnswerBody, say: Say) -> None:
        """Read until nothing more comes, or nothing need be read. Raises TimeoutError."""
        now = asyncio.get_running_loop().time
        until = now() + self._timeout
        async with (
            asyncio.timeout_at(until) as silence,
            contextlib.aclosing(self._http.read(response)) as pieces,
        ):
            async for data in pieces:
                silence.reschedule(None)  # a reader's rest is no silence of the API's
                at_work = False
                for text in body.feed(data):
                    at_work = True
                    if text:
                        await say(text)
                if body.over:
                    return
                if at_work:
                    until = now() + (self._end_wait if body.finished else self._timeout)
                silence.reschedule(until)
