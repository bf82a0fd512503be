"""Why a connection did not come about: the true reason, what cures it, whether it may pass."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import requests
import websocket

from textstream.client.wire_errors import error_from_wire
from textstream.errors import ServerUnreachable, TextStreamError

_START = "Start one with `make run` or `textstream serve`, or give the right address (--url)."
_ADDRESS = "Give the right address (--url), with the path where a proxy has the server."

_PASSING_STATUSES = {408, 425, 429, 500, 502, 503, 504}
_REFUSING_STATUSES = {401, 403, 421}

LONGEST_REASON = 200
"""Characters of what a server says, at most: it may be a page."""


@dataclass(frozen=True)
class Cause:
    """Why there is no connection.

    Attributes:
        reason: a few words, without a full stop.
        cure: a sentence.
        passes: whether it may go by itself, as when a server is not there yet.
        refused: whether the server was reached, and does not want this client.
        other_way: whether another transport may get through: not where no connection came about
            at all, nor where the server's application itself said no.

    """

    reason: str
    cure: str = _START
    passes: bool = True
    refused: bool = False
    other_way: bool = True


class CannotConnect(ServerUnreachable):
    """There is no connection; `cause` says why. ``retryable`` is whether that may pass."""

    def __init__(self, url: str, cause: Cause) -> None:
        """Make the error for the server at `url`."""
        said = f"({cause.reason}). {cause.cure}".rstrip()
        if cause.refused:
            super().__init__(f"The server at {url} refuses the connection {said}")
        else:
            super().__init__(f"No textstream server answers at {url} {said}")
        self.cause = cause
        self.retryable = cause.passes  # type: ignore[misc]  # of this one, not of the class


SILENT = Cause("it does not answer as a Socket.IO server does")

NOT_OURS = Cause("something else answers there, which is not a textstream server", _ADDRESS, False)


def refused_for_good(error: TextStreamError) -> bool:
    """Tell whether the server said no, so that trying again would get the same answer."""
    if isinstance(error, CannotConnect):
        return error.cause.refused and not error.retryable
    return not error.retryable


def refusal(url: str, payload: object) -> TextStreamError:
    """Return the error for a Socket.IO connection that the server's application refused.

    What carries a code and a message of ours, as python-socketio's ``ConnectionRefusedError``
    does for its second argument, is that error.
    """
    data = payload.get("data", payload) if isinstance(payload, dict) else payload
    if isinstance(data, dict) and isinstance(data.get("code"), str) and "message" in data:
        return error_from_wire(data)
    said = payload.get("message") if isinstance(payload, dict) else payload
    reason = _shortened(said).rstrip(".") if isinstance(said, str) else ""
    reason = reason or "it gave no reason"
    return CannotConnect(url, Cause(reason, "", passes=False, refused=True, other_way=False))


def cause_of(error: BaseException, timeout: float) -> Cause:
    """Return the cause of what a library raised; `timeout` is what it was given, in seconds."""
    chain = list(_chain(error))
    for each in chain:
        if isinstance(each, websocket.WebSocketBadStatusException):
            return _cause_of_status(each.status_code, _said(each.resp_body or b""))
    proxy = "the HTTP proxy: " if _has(chain, requests.exceptions.ProxyError) else ""
    cause = _no_connection(chain, proxy) or _no_answer(chain, timeout)
    if cause is None and isinstance(error, requests.RequestException):
        cause = Cause(_shortened(str(error)).lower())
    return cause or NOT_OURS  # whatever python-socketio raises for what makes no sense


def cause_of_response(response: requests.Response) -> Cause:
    """Return the cause that an HTTP answer gives for not being the one that was due."""
    if response.ok and not response.is_redirect:
        return NOT_OURS
    if location := response.headers.get("Location"):
        reason = f"HTTP status {response.status_code}, moved to {_shortened(location)}"
        return Cause(reason, "Give that address (--url).", passes=False)
    return _cause_of_status(response.status_code, _said(response.content))


def _said(body: bytes) -> str:
    """Return what an answer says: a string, or the message of an error object, in JSON."""
    try:
        said = json.loads(body)
    except ValueError:
        return ""
    if isinstance(said, dict):
        said = said.get("message")
    return said if isinstance(said, str) else ""  # as Engine.IO has its reasons


def _cause_of_status(status: int, said: str) -> Cause:
    reason = f"HTTP status {status}" + (f": {_shortened(said).rstrip('.')}" if said else "")
    if status in _REFUSING_STATUSES or (status == http.client.BAD_REQUEST and said):
        return Cause(reason, "", passes=False, refused=True)
    if status == http.client.TOO_MANY_REQUESTS:
        return Cause(reason, "", refused=True, other_way=False)
    if status in _PASSING_STATUSES:
        return Cause(reason)
    return Cause(reason, _ADDRESS, passes=False)


def _no_connection(chain: list[BaseException], proxy: str) -> Cause | None:
    for each in chain:
        if isinstance(each, ssl.SSLCertVerificationError):
            why = each.verify_message.rstrip(".").lower()
            cure = "Name the file of a certificate that you trust in SSL_CERT_FILE."
            return Cause(f"TLS certificate: {why}", cure, passes=False, other_way=False)
        if isinstance(each, ssl.SSLError):
            why = (each.reason or str(each)).replace("_", " ").lower()
            cure = "Is it http:// there, and not https://?"
            return Cause(f"TLS: {why}", cure, passes=False, other_way=False)
        if isinstance(each, (socket.gaierror, UnicodeError)):
            # What the resolver itself calls temporary may pass; a name with a slip does not.
            passes = getattr(each, "errno", None) == socket.EAI_AGAIN
            why = f"{proxy}name not found: {getattr(each, 'strerror', None) or each}".lower()
            return Cause(why, "Check the address (--url).", passes, other_way=False)
        if isinstance(each, ConnectionRefusedError):
            return Cause(f"{proxy}connection refused", other_way=False)
    return None


def _no_answer(chain: list[BaseException], timeout: float) -> Cause | None:
    timeouts = (TimeoutError, requests.Timeout, websocket.WebSocketTimeoutException)
    if _has(chain, timeouts):
        connecting = _has(chain, requests.ConnectTimeout)
        return Cause(f"timed out: no answer in {timeout:g} s", other_way=not connecting)
    cut = (
        ConnectionError,
        websocket.WebSocketConnectionClosedException,
        http.client.IncompleteRead,  # within the answer: it began as HTTP does
    )
    if _has(chain, cut):
        return Cause("the connection was closed before an answer came")
    for each in chain:
        if isinstance(each, OSError) and each.strerror:
            return Cause(each.strerror.lower(), other_way=False)
    if _has(chain, http.client.HTTPException):
        return Cause("what answers there does not speak HTTP", _ADDRESS, passes=False)
    return None


def _has(chain: list[BaseException], kinds: type | tuple[type, ...]) -> bool:
    return any(isinstance(each, kinds) for each in chain)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it came from; ``requests`` and urllib3 hide that in places."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        each = todo.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            reason = getattr(each, "reason", None)
            todo += [*each.args, reason, each.__cause__, each.__context__]


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"
