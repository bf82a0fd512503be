"""What the client asks over plain HTTP: everything that is no stream."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

from textstream.client.address import ServerAddress
from textstream.client.failures import NOT_OURS, CannotConnect, cause_of, cause_of_response
from textstream.client.http_session import HttpSession
from textstream.client.reconnect import ReconnectPolicy


class Api:
    """The server's JSON over HTTP, under the same address as its streams."""

    def __init__(
        self,
        address: ServerAddress,
        *,
        timeout: float,
        policy: ReconnectPolicy | None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it; nothing is sent yet. `timeout` is for each answer, in seconds.

        `policy` says how long a server that is not there yet is tried for; None: once.
        """
        self._address = address
        self._timeout = timeout
        self._policy = policy
        self._sleep = sleep
        self._clock = clock

    def get(self, path: str) -> Any:
        """Return the JSON at `path` of the server.

        Raises:
            CannotConnect: nothing answers there, or it is no JSON.

        """
        began, attempt = self._clock(), 0
        while True:
            attempt += 1
            try:
                return self._get(path)
            except CannotConnect as error:
                elapsed = self._clock() - began
                if (
                    not error.retryable
                    or self._policy is None
                    or self._policy.exhausted(attempt, elapsed, first=True)
                ):
                    raise
                self._sleep(self._policy.delay(attempt))

    def _get(self, path: str) -> Any:
        with HttpSession(self._address) as session:
            try:
                response = session.request("GET", self._address.at(path), timeout=self._timeout)
                if response.ok and not response.is_redirect:
                    return response.json()
                cause = cause_of_response(response)
            except requests.JSONDecodeError:
                cause = NOT_OURS
            except (requests.RequestException, ValueError) as error:
                cause = cause_of(error, self._timeout)
        raise CannotConnect(self._address.url, cause)
