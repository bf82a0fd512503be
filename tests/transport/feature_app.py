"""A Flask-SocketIO app that has nothing to do with streams: its documented features, one each."""

from __future__ import annotations

import threading
from typing import Any

import flask_socketio
from flask import Flask, request, session
from flask_socketio import (
    Namespace,
    SocketIO,
    close_room,
    disconnect,
    emit,
    join_room,
    leave_room,
    send,
)

from tests.sources.waiting import LONG


class Record:
    """What the app saw, for tests to wait for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()  # guards _seen
        self._seen: list[tuple[Any, ...]] = []

    def add(self, *what: Any) -> None:
        """Add an observation."""
        with self._changed:
            self._seen.append(what)
            self._changed.notify_all()

    @property
    def seen(self) -> list[tuple[Any, ...]]:
        """All observations so far."""
        with self._changed:
            return list(self._seen)

    def wait_for(self, *what: Any, timeout: float = LONG) -> None:
        """Wait until this observation was added."""
        with self._changed:
            assert self._changed.wait_for(lambda: what in self._seen, timeout), self._seen


class Room(Namespace):
    """A class-based namespace."""

    def on_connect(self) -> None:
        """Say who is there."""
        self.emit("welcome", request.sid)  # type: ignore[attr-defined]

    def on_echo(self, data: Any) -> Any:
        """Answer through the acknowledgement."""
        return data


def make_app(  # noqa: C901, PLR0915 (a list of handlers, not one piece of logic)
    record: Record, **options: Any
) -> tuple[Flask, SocketIO]:
    """Return the app and its SocketIO."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "test"
    socketio = SocketIO(app, async_mode="threading", cors_allowed_origins="*", **options)

    @socketio.on("connect")
    def connect(auth: Any = None) -> None:
        if auth == {"refuse": True}:
            raise flask_socketio.ConnectionRefusedError("not you")
        session["count"] = 0

    @socketio.on("disconnect")
    def gone(reason: str) -> None:
        record.add("disconnect", request.sid, reason)  # type: ignore[attr-defined]

    @socketio.on("sum")
    def add(*numbers: int) -> tuple[int, str]:
        return sum(numbers), "done"

    @socketio.on("ask")
    def ask() -> None:
        emit("question", 41, callback=lambda answer: record.add("answer", answer))

    @socketio.on("ask_and_wait")
    def ask_and_wait() -> Any:
        sid = request.sid  # type: ignore[attr-defined]
        return socketio.call("question", 1, to=sid, timeout=5)

    @socketio.on("join")
    def join(room: str) -> None:
        join_room(room)
        emit("joined", room, to=room)

    @socketio.on("leave")
    def leave(room: str) -> bool:
        leave_room(room)
        return True

    @socketio.on("close_room")
    def close(room: str) -> bool:
        close_room(room)
        return True

    @socketio.on("to_room")
    def to_room(room: str, text: str) -> bool:
        emit("room_text", text, to=room)
        return True

    @socketio.on("to_all")
    def to_all(text: str) -> bool:
        emit("all_text", text, broadcast=True)
        return True

    @socketio.on("count")
    def count() -> int:
        session["count"] += 1
        return int(session["count"])

    @socketio.on("who")
    def who() -> str:
        return str(request.sid)  # type: ignore[attr-defined]

    @socketio.on("binary")
    def binary(data: bytes) -> bytes:
        emit("binary_event", {"data": data, "more": [data]})
        return data[::-1]

    @socketio.on("leave_me")
    def leave_me() -> None:
        disconnect()

    @socketio.on("fail")
    def fail() -> None:
        raise RuntimeError("scripted")

    @socketio.on_error_default
    def on_error(error: Exception) -> str:
        record.add("error", str(error))
        return "handled"

    @socketio.on("message")
    def message(text: str) -> None:
        send(text)

    @socketio.on("json")
    def json(data: Any) -> None:
        send(data, json=True)

    @socketio.on("background")
    def background() -> None:
        sid = request.sid  # type: ignore[attr-defined]

        def work() -> None:
            for number in range(3):
                socketio.sleep(0)
                socketio.emit("tick", number, to=sid)

        socketio.start_background_task(work)

    echoed = 0

    @socketio.on("echo_text")
    def echo_text(text: str) -> str:
        nonlocal echoed
        echoed += 1
        record.add("echoed", echoed)
        return text

    @socketio.on("hold")
    def hold(name: str) -> None:
        record.add("holding", name)
        record.wait_for("let go", name)

    @socketio.on("echo", namespace="/second")
    def second(data: Any) -> Any:
        return ["second", data]

    socketio.on_namespace(Room("/room"))
    return app, socketio
