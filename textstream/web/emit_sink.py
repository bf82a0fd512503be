"""A sink on plain ``socketio.emit``: any transport, any async mode."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from flask_socketio import SocketIO

from textstream.protocol import NEW_CHAR, STREAM_CHUNK, FormatName, StreamChunk

logger = logging.getLogger("textstream.sink")

MAX_QUEUED = 1024
"""Packets in a client's Engine.IO queue above which its readers are held back."""


class EmitSink:
    """Emits to one connection; holds back while its Engine.IO queue is long."""

    def __init__(self, socketio: SocketIO, sid: str) -> None:
        self._socketio = socketio
        self._sid = sid
        server = socketio.server
        self._session = server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, "/"))

    def room(self) -> int:
        """Return how many packets the client's queue would take."""
        if self._session is None or self._session.closed:
            return 0
        return MAX_QUEUED - int(self._session.queue.qsize())

    def write_units(
        self, stream_id: str, format_: FormatName, offset: int, units: Sequence[str]
    ) -> None:
        """Emit an event per unit, or one for all."""
        if format_ == "char":
            for unit in units:
                self._emit(NEW_CHAR, unit)
        else:
            chunk = StreamChunk(
                id=stream_id, offset=offset, next=offset + len(units), text="".join(units)
            )
            self._emit(STREAM_CHUNK, chunk.model_dump())

    def write_event(self, event: str, payload: dict[str, Any]) -> None:
        """Emit an event."""
        self._emit(event, payload)

    def _emit(self, event: str, payload: object) -> None:
        try:
            self._socketio.emit(event, payload, to=self._sid)
        except Exception as error:  # noqa: BLE001 (a closing connection raises what it likes)
            # The disconnect handler takes its readers away; nothing is lost, they may return.
            logger.debug("not emitted to %s: %r", self._sid, error)
