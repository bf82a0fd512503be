"""What the client asks over plain HTTP: everything that is no stream."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

from textstream.client.address import ServerAddress
from textstream.client.auth import Tokens
from textstream.client.failures import NOT_OURS, CannotConnect, cause_of, cause_of_response
from textstream.client.http_session import Authorization, HttpSession
from textstream.client.reconnect import ReconnectPolicy
from textstream.client.wire_errors import error_from_wire
from textstream.errors import TextStreamError

_REFUSING = {401, 403}


class Api:
    """The server's JSON over HTTP, under the same address as its streams."""

    def __init__(
        self,
        address: ServerAddress,
        *,
        timeout: float,
        policy: ReconnectPolicy | None,
        tokens: Tokens,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it; nothing is sent yet. `timeout` is for each answer, in seconds.

        `policy` says how long a server that is not there yet is tried for; None: once. `tokens`
        gives what is shown.
        """
        self._address = address
        self._timeout = timeout
        self._policy = policy
        self._tokens = tokens
        self._sleep = sleep
        self._clock = clock

    def get(self, path: str) -> Any:
        """Return the JSON at `path` of the server.

        Raises:
            CannotConnect: nothing answers there, or it is no JSON.
            TextStreamError: the server refuses it, with a code of ours.

        """
        began, attempt = self._clock(), 0
        while True:
            attempt += 1
            try:
                answer = self._get(path)
            except CannotConnect as error:
                elapsed = self._clock() - began
                if (
                    not error.retryable
                    or self._policy is None
                    or self._policy.exhausted(attempt, elapsed, first=True)
                ):
                    raise
                self._sleep(self._policy.delay(attempt))
            except TextStreamError as error:
                if not self._tokens.may_mend(error):
                    raise
            else:
                self._tokens.accepted()
                return answer

    def _get(self, path: str) -> Any:
        token, url = self._tokens.next(), self._address.at(path)
        shown: Any = {}
        if token is not None and self._address.authorization is None:
            shown["auth"] = Authorization(f"Bearer {token}")
        with HttpSession(self._address) as session:
            try:
                response = session.request("GET", url, timeout=self._timeout, **shown)
                if response.ok and not response.is_redirect:
                    return response.json()
                cause = cause_of_response(response)
            except requests.JSONDecodeError:
                cause, response = NOT_OURS, None
            except (requests.RequestException, ValueError) as error:
                cause, response = cause_of(error, self._timeout), None
        if response is not None and (refused := _refusal_in(response)):
            raise refused
        raise CannotConnect(self._address.url, cause)


def _refusal_in(response: requests.Response) -> TextStreamError | None:
    """Return what the server's application says of why it refuses; None: it says nothing."""
    try:
        said = response.json()
    except ValueError:
        return None
    if response.status_code not in _REFUSING:  # a limit may pass: see `cause_of_response`
        return None
    known = isinstance(said, dict) and isinstance(said.get("code"), str) and "message" in said
    return error_from_wire(said) if known else None
