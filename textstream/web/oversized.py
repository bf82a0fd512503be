"""Answers a client whose message is too large: it was dropped, or is not parsed."""

from __future__ import annotations

import json
import re
from typing import Any

from flask_socketio import SocketIO

from textstream.errors import InvalidRequest
from textstream.measure import MeasuredJson
from textstream.protocol import STREAM_ERROR
from textstream.transport.bounds import LARGE, WIDE, Bounds, Limit, OnOversized

_EVENT_WITH_ACK = re.compile(r"42(/[^,]{0,64},)?(\d+)\[")
"""An Engine.IO message with a Socket.IO event, in any namespace, that wants an answer."""


def _why(size: int, limit: Limit, bounds: Bounds) -> str:
    """Return the sentence that says which limit, and what to do."""
    most, parts = bounds.max_message, bounds.max_parts
    if limit is Limit.PLAIN:
        return (
            f"The message has {size} bytes; only start_stream may be larger than "
            f"{bounds.max_plain}. It was dropped."
        )
    if limit is Limit.PARTS and parts:
        return (
            f"A message of more than {LARGE} bytes may have {parts.strings} JSON strings, and "
            f"{parts.outside} characters beside them. It was dropped."
        )
    if limit is Limit.WIDE:
        return (
            f"A message with emoji, or others outside of the Basic Multilingual Plane, may have "
            f"{most * WIDE // 4} characters. It was dropped."
        )
    return (
        f"The message has {size} bytes, at most {most} are allowed "
        "(TEXTSTREAM_MAX_MESSAGE_BYTES). It was dropped."
    )


def measure_packets(server: Any) -> None:
    """Let `server`, python-socketio's, answer an event whose JSON is too deep to be parsed.

    Its own class of packets, in place of the setting ``json``: that one is the whole process's.
    """

    class MeasuredPacket(server.packet_class):
        json = MeasuredJson

    server.packet_class = MeasuredPacket


def refuser(socketio: SocketIO, bounds: Bounds) -> OnOversized:
    """Return what answers a client whose message is over one of `bounds`."""

    def refuse(eio_sid: str, head: str, size: int, over: Limit) -> None:
        error = InvalidRequest(_why(size, over, bounds)).to_wire()
        wants_answer = _EVENT_WITH_ACK.match(head)
        if wants_answer:
            answer = json.dumps([{"ok": False, "error": error}])
            socketio.server.eio.send(eio_sid, f"3{wants_answer[1] or ''}{wants_answer[2]}{answer}")
        sid = socketio.server.manager.sid_from_eio_sid(eio_sid, "/")
        if sid:
            socketio.emit(STREAM_ERROR, error, to=sid)

    return refuse
