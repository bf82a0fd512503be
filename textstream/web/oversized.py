"""Answers a client whose message was too large, and was dropped."""

from __future__ import annotations

import json
import re

from flask_socketio import SocketIO

from textstream.errors import InvalidRequest
from textstream.protocol import STREAM_ERROR
from textstream.transport.bounds import OnOversized

_EVENT_WITH_ACK = re.compile(r"42(/[^,]{0,64},)?(\d+)\[")
"""An Engine.IO message with a Socket.IO event, in any namespace, that wants an answer."""


def refuser(socketio: SocketIO, limit: int) -> OnOversized:
    """Return what answers a client whose message is over `limit` bytes."""

    def refuse(eio_sid: str, head: str, size: int) -> None:
        error = InvalidRequest(
            f"The message has {size} bytes, at most {limit} are allowed "
            "(TEXTSTREAM_MAX_MESSAGE_BYTES). It was dropped."
        ).to_wire()
        wants_answer = _EVENT_WITH_ACK.match(head)
        if wants_answer:
            answer = json.dumps([{"ok": False, "error": error}])
            socketio.server.eio.send(eio_sid, f"3{wants_answer[1] or ''}{wants_answer[2]}{answer}")
        sid = socketio.server.manager.sid_from_eio_sid(eio_sid, "/")
        if sid:
            socketio.emit(STREAM_ERROR, error, to=sid)

    return refuse
