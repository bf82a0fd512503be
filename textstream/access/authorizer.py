"""Asks an operator's own callable who somebody is: not for ever, and not too often at a time."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from textstream.access.credentials import Credentials
from textstream.access.principal import MAX_SUBJECT, Principal, user
from textstream.access.quotas import BadQuota, read_claim
from textstream.access.refusals import Refusals
from textstream.errors import RateLimited, Unauthorized
from textstream.loggable import log_exception

logger = logging.getLogger("textstream.access")

SECONDS = 5.0
"""How long an answer may take."""

AT_A_TIME = 12
"""Answers that are waited for: fewer than a server has threads, so that it goes on without them."""

PER_ADDRESS = 4
"""The same, of one address."""

UNAVAILABLE = "The server could not find out who you are. Try again in a moment."
REFUSED = "You are not known here, or your token is not. Sign in, and connect again."

Authorize = Callable[[Credentials], Principal | None]
Submit = Callable[[Callable[[], None]], None]


class _Call:
    """One call of it, which somebody waits for, or does no more."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.done = threading.Event()
        self.given_up = False
        self.result: Any = None
        self.error: BaseException | None = None


class Authorizer:
    """A checker that asks a callable. Any thread that may wait.

    A call that takes too long cannot be ended: it keeps its place until it returns, so that there
    are never more of them than may be. ``_lock`` guards the counts; nothing is called under it.
    """

    blocking = True

    def __init__(
        self,
        authorize: Authorize,
        *,
        submit: Submit,
        seconds: float = SECONDS,
        at_a_time: int = AT_A_TIME,
        per_address: Callable[[str], int] = lambda _: PER_ADDRESS,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Ask `authorize`, in threads that `submit` gives it.

        Args:
            authorize: is given `Credentials`, and returns a `Principal`, or None for nobody.
            submit: has a job run in a thread of its own.
            seconds: that it may take.
            at_a_time: calls.
            per_address: the same, for one address.
            wall_clock: seconds since 1970.

        """
        self._authorize = authorize
        self._submit = submit
        self._seconds = seconds
        self._at_a_time = at_a_time
        self._per_address = per_address
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._told = Refusals()

    @property
    def calls(self) -> int:
        """How many calls there are, those included that nobody waits for any more."""
        return self._calls.total()

    def principal_of(self, credentials: Credentials) -> Principal:
        """Return whose credentials are, in `seconds` at most.

        Raises:
            Unauthorized: nobody's, or the callable has failed.
            RateLimited: too many are asked for already.

        """
        self._enter(credentials.address)
        asked = self._wall_clock()
        call = _Call(credentials)
        self._submit(lambda: self._run(call))
        if not call.done.wait(self._seconds):
            call.given_up = True
            self._tell("no answer within %g s", self._seconds)
            raise Unauthorized(UNAVAILABLE, reason="unavailable")
        if call.error is not None:
            if self._told.count(type(call.error).__name__, ""):
                log_exception(logger, "authorize has failed", error=call.error)
            raise Unauthorized(UNAVAILABLE, reason="unavailable")
        if call.result is None:
            raise Unauthorized(REFUSED)
        return self._checked(call.result, asked)

    def _run(self, call: _Call) -> None:
        try:
            if not call.given_up:
                call.result = self._authorize(call.credentials)
        except BaseException as error:  # noqa: BLE001 (a user's code raises what it likes)
            call.error = error
        finally:
            self._leave(call.credentials.address)
            call.done.set()

    def _enter(self, address: str) -> None:
        most = self._per_address(address)
        with self._lock:
            scope = "server" if self._calls.total() >= self._at_a_time else "address"
            if scope == "address" and self._calls[address] < most:
                self._calls[address] += 1
                return
        raise RateLimited(
            "Too many are asking who they are at once. Try again in a moment.",
            retry_after=1.0,
            scope=scope,
        )

    def _leave(self, address: str) -> None:
        with self._lock:
            self._calls[address] -= 1
            if not self._calls[address]:
                del self._calls[address]

    def _checked(self, result: Any, asked: float) -> Principal:
        """Return what it said, if that makes sense: a user's code is not type-checked."""
        problem, quota = _problem(result), None
        if not problem:
            try:
                quota = read_claim(result.quota)
            except BadQuota as error:
                problem = str(error)
        if problem:
            self._tell("%s", problem)
            raise Unauthorized(UNAVAILABLE, reason="unavailable")
        scopes = None if result.scopes is None else frozenset(result.scopes)
        expires = None if result.expires is None else float(result.expires)
        # It knows best whom it takes: what an operator took back before it was asked, it may give
        # anew. Not what was taken back while it answered.
        return user(result.id, scopes, expires, quota, issued=asked)

    def _tell(self, said: str, argument: object) -> None:
        if self._told.count(said, ""):
            logger.error(f"authorize has failed: {said}", argument)


def _problem(result: Any) -> str:
    """Return what is wrong with a principal that a callable has returned; "": nothing is."""
    if not isinstance(result, Principal):
        return f"it returned {type(result).__name__}, and not a Principal, or None"
    if not isinstance(result.id, str) or not 0 < len(result.id) <= MAX_SUBJECT:
        return f"the id is no text of 1 to {MAX_SUBJECT} characters"
    scopes, expires = result.scopes, result.expires
    if scopes is not None and (
        not isinstance(scopes, (set, frozenset, list, tuple))
        or not all(isinstance(scope, str) for scope in scopes)
    ):
        return "the scopes are no set of texts"
    if expires is not None and not (
        # An integer may be larger than any float; and no NaN is smaller than one.
        isinstance(expires, (int, float)) and abs(expires) <= sys.float_info.max
    ):
        return "expires is no number of seconds since 1970"
    return ""
