"""Which requests of clients that poll may wait without a thread, and what they are answered."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from textstream.loggable import log_exception
from textstream.transport.answer_pace import AnswerPace
from textstream.transport.handshake import is_half_upgrade, is_handshake
from textstream.transport.parked import ParkedPoll
from textstream.transport.parked_post import ParkedPost
from textstream.transport.polls import WsgiApp
from textstream.transport.session import Session
from textstream.transport.waits import PARKED, WAKE, Waits
from textstream.transport.watchers import Wake

logger = logging.getLogger("textstream.transport")

SMALL = 8192
"""Bytes that wait for a poll whose answer takes little: `MAX_POLL_PACKETS` characters are 3 kB."""


class Response(NamedTuple):
    """What a poll is answered, in full but for what HTTP adds."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class Parking:
    """The requests of one server's clients that wait without a thread.

    Whoever holds a request's connection asks `park`. When it is woken, it has the application serve
    the same environ, which answers at once, or asks for the `answer` itself. If the connection ends
    before that, it tells `leave`; if it cannot have it answered, it is to `give_back` the poll.
    """

    def __init__(self, eio: Any, pace: AnswerPace) -> None:
        """Serve `eio`, Engine.IO's server, as many polls as `pace` lets."""
        self._eio = eio
        self._pace = pace

    def park(self, environ: dict[str, Any], wake: Wake, *, patient: bool = False) -> bool:
        """Let a request wait, if it is a poll for which there is nothing yet, or has packets.

        Does not block, and never raises. Its path has been looked at: it is Engine.IO's. Packets
        are handled by workers from now on, as those of a WebSocket are.

        Args:
            environ: the request's; ``wsgi.input`` has the whole of its body, and does not block.
            wake: called once when it is to be answered, maybe before this returns; see `Wake`.
            patient: whether a poll waits for its turn also where there is something for it and few
                others are served: where to serve it costs more than to wake it.

        Returns:
            False where it is to be served at once: it is another request, there is something for it
            and few others are served, or it is refused.

        """
        try:
            if (session := self._session_of(environ)) is None:
                return False
            if environ["REQUEST_METHOD"] == "GET":
                return self._park_poll(session, environ, wake, patient=patient)
            return self._park_post(session, environ, wake)
        except Exception as error:  # noqa: BLE001 (of whatever kind: the application will tell)
            log_exception(logger, "a request could not be parked", error=error)
        environ.pop(PARKED, None)
        return False

    def _park_poll(
        self, session: Session, environ: dict[str, Any], wake: Wake, *, patient: bool
    ) -> bool:
        patient = patient or self._pace.busy
        environ[PARKED] = poll = ParkedPoll(session, wake, self._pace)
        if session.park(poll, patient=patient):
            return True
        del environ[PARKED]
        self._pace.count()
        return False

    def _park_post(self, session: Session, environ: dict[str, Any], wake: Wake) -> bool:
        size, bounds = environ.get("CONTENT_LENGTH", ""), session.shared.bounds
        if not size.isdecimal() or int(size) > bounds.max_message or session.upgraded:
            return False
        post = ParkedPost(session, environ, session.packets_of(environ), wake)
        environ[PARKED] = post
        post.start()
        return True

    def serve(
        self, app: WsgiApp, environ: dict[str, Any], start_response: Any, wake: Wake
    ) -> Iterable[bytes] | None:
        """Have `app` serve a request that is not parked, in a thread that must not wait.

        None: it waits now, as if it were parked, for what `park` could not know. `wake` may have
        been called, and ``start_response``, too: that was for nobody.
        """

        def parked(what: Any) -> None:
            environ[PARKED] = what
            wake()

        try:
            return app({**environ, WAKE: parked}, start_response)
        except Waits as waits:
            environ[PARKED] = waits.parked
            return None

    def leave(self, environ: dict[str, Any]) -> None:
        """End the session of a poll whose connection went before it was answered. Any thread."""
        # Taken out here and in `answer`: else what waits and the environ would hold each other,
        # and a POST's body with them, until the collector of cyclic garbage comes.
        if (poll := environ.pop(PARKED, None)) is not None:
            poll.leave()

    def give_back(self, environ: dict[str, Any]) -> None:
        """Have a request wait no longer: it is served in another way, or not now. Any thread.

        What waits for a poll goes on waiting, and the application takes it for one that has just
        come. The packets of a POST are handled all the same.
        """
        if (poll := environ.pop(PARKED, None)) is not None:
            poll.give_back()

    def close(self) -> None:
        """Let nobody wait for others any more: the server goes down."""
        self._pace.lift()

    def waits_small(self, environ: dict[str, Any]) -> bool:
        """Return whether to `answer` takes little: some 50 µs, not a large text's compression."""
        parked: ParkedPoll | ParkedPost | None = environ.get(PARKED)
        return parked is None or parked.nbytes <= SMALL

    def answer(self, environ: dict[str, Any]) -> Response | None:
        """Return the response to a request that has waited. Does not block, nor call a user's code.

        None: it has not waited.
        """
        parked: ParkedPoll | ParkedPost | None = environ.pop(PARKED, None)
        if parked is None:
            return None
        taken = parked.take()
        if not isinstance(taken, dict):
            taken = self._eio._ok(taken or [], jsonp_index=_jsonp_index(environ))
        self._compress(taken, environ)
        headers, body = taken["headers"], taken["response"]
        headers += [("Content-Length", str(len(body))), *self._cors_headers(environ)]
        return Response(taken["status"], headers, body)

    def serve_parked(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """Answer a request that has waited. A WSGI application."""
        response = self.answer(environ)
        assert response is not None  # noqa: S101 (it has waited)
        start_response(response.status, response.headers)
        return [response.body]

    def _session_of(self, environ: dict[str, Any]) -> Session | None:
        """Return the session whose request it is; None where somebody has to look closer."""
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "POST") or "polling" not in self._eio.transports:
            return None
        query = parse_qs(environ.get("QUERY_STRING", ""))
        if query.get("transport", [""])[0] != "polling" or not _may_be_jsonp(query):
            return None
        if "HTTP_UPGRADE" in environ and (is_handshake(environ) or is_half_upgrade(environ)):
            return None
        session: Session | None = self._eio.sockets.get(query.get("sid", [""])[0])
        if session is None or session.closed or not session.connected:
            return None
        return session if session.admits(environ) else None

    def _cors_headers(self, environ: dict[str, Any]) -> list[tuple[str, str]]:
        """Return what lets a page read the answer: its origin has been let in."""
        if self._eio.cors_allowed_origins == []:  # as Engine.IO has it: none of its business
            return []
        headers = []
        if origin := environ.get("HTTP_ORIGIN"):
            headers.append(("Access-Control-Allow-Origin", origin))
        if self._eio.cors_credentials:
            headers.append(("Access-Control-Allow-Credentials", "true"))
        return headers

    def _compress(self, response: dict[str, Any], environ: dict[str, Any]) -> None:
        """Compress a response as Engine.IO does: by the first that both sides know."""
        eio, body = self._eio, response["response"]
        if not eio.http_compression or len(body) < eio.compression_threshold:
            return
        accepted = environ.get("HTTP_ACCEPT_ENCODING", "").split(",")
        for name in (one.partition(";")[0].strip() for one in accepted):
            if name in eio.compression_methods:
                response["response"] = getattr(eio, f"_{name}")(body)
                response["headers"].append(("Content-Encoding", name))
                return


def _may_be_jsonp(query: dict[str, list[str]]) -> bool:
    """Return whether it is none, or as old browsers make it."""
    return "j" not in query or query["j"][0].isdecimal()


def _jsonp_index(environ: dict[str, Any]) -> int | None:
    query = parse_qs(environ.get("QUERY_STRING", ""))
    return int(query["j"][0]) if "j" in query else None
