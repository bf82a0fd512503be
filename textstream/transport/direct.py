"""Opening a session with a WebSocket from the start, on a connection that the front has read.

It is what Engine.IO does with such a request, in the same order, without its ways for all others:
five parses of the query, copies of the environment, a packet that is queued and taken out again.
They were half of what a connection cost. Any request that is not as clients send it goes the long
way, with all its answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from engineio.socket import Socket

from textstream.transport.admission import VISIT, Visit
from textstream.transport.frames import message_frame
from textstream.transport.handshake import find_fault, is_handshake
from textstream.transport.http.door import Door, Threshold
from textstream.transport.sessions import Sessions

Way = Door | Threshold
"""How a WebSocket comes from HTTP."""

TakeOver = Callable[[Way, dict[str, Any], Any, bytes], None]
"""Takes over a WebSocket, for a session, and sends it first of all a frame; `OSError` is raised
where its client has gone."""


@lru_cache(256)
def is_opening(query: str) -> bool:
    """Return whether a query asks for a new session with a WebSocket, and for nothing else."""
    fields = query.split("&")
    names = [field.partition("=")[0] for field in fields]
    return (
        "%" not in query
        and "+" not in query
        and {"EIO=4", "transport=websocket"} <= set(fields)
        and names.count("EIO") == names.count("transport") == 1
        and not {"sid", "j"} & set(names)
    )


class DirectOpening:
    """Opens sessions of one server."""

    def __init__(self, eio: Any, take_over: TakeOver) -> None:
        """Open those of Engine.IO's server `eio`."""
        self._eio = eio
        self._take_over = take_over
        self._open_packet = ""
        self._settings: tuple[object, ...] = ()

    def suits(self, environ: dict[str, Any]) -> bool:
        """Return whether a request is one that it opens a session for."""
        return (
            is_handshake(environ)  # first: the queries of polls are all different
            and is_opening(environ["QUERY_STRING"])
            and find_fault(environ) is None
            and "websocket" in self._eio.transports
            and self._is_allowed(environ)
        )

    def open(self, environ: dict[str, Any], sessions: Sessions, visit: Visit, way: Way) -> None:
        """Open a session. In the reactor's thread.

        Args:
            environ: of a request that `suits`.
            sessions: the server's.
            visit: what is counted for it. Is over if no session comes of it.
            way: of the WebSocket. Not in `environ`, which is kept.

        """
        eio = self._eio
        if eio.start_service_task:
            eio.start_service_task = False
            eio.service_task_handle = eio.start_background_task(eio._service_task)
        environ[VISIT] = visit
        sid = eio.generate_id()
        session = sessions.enter(sid, Socket(eio, sid), visit)
        eio.handlers["connect"](sid, environ)
        session.schedule_ping()
        try:
            self._take_over(way, environ, session, self._first_frame(sid))
        except OSError:
            session.close(wait=False, abort=True, reason=eio.reason.TRANSPORT_ERROR)
            sessions.pop(sid, None)

    def _is_allowed(self, environ: dict[str, Any]) -> bool:
        origin = environ.get("HTTP_ORIGIN")
        if not origin or self._eio.cors_allowed_origins == []:
            return True
        allowed = self._eio._cors_allowed_origins(environ)
        return allowed is None or origin in allowed

    def _first_frame(self, sid: str) -> bytes:
        """Return the frame of the packet OPEN (Engine.IO 4, "Handshake")."""
        eio = self._eio
        settings = (eio.ping_interval, eio.ping_interval_grace_period, eio.ping_timeout)
        if settings != self._settings:
            self._settings = settings
            interval = eio.ping_interval + eio.ping_interval_grace_period
            rest = {
                "upgrades": [],
                "pingTimeout": int(eio.ping_timeout * 1000),
                "pingInterval": round(interval * 1000),
                "maxPayload": eio.max_http_buffer_size,
            }
            self._open_packet = json.dumps(rest, separators=(",", ":"))[1:]
        return message_frame(f'0{{"sid":"{sid}",{self._open_packet}')
