"""Flask-SocketIO in threading mode: ``emit`` and ``sleep`` in a loop, as everybody writes it."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_socketio import SocketIO, emit, join_room
from werkzeug.serving import make_server

app = Flask(__name__)
socketio = SocketIO(app, async_mode="threading")


@app.get("/healthz")
def health() -> str:
    return ""


@socketio.on("start_stream")  # type: ignore[untyped-decorator,unused-ignore]
def start_stream(request: dict[str, Any]) -> None:
    delay = 1 / request["rate"] if request["rate"] else 0
    for character in request["text"]:
        emit("new_char", character)
        socketio.sleep(delay)
    emit("stream_end", {})


@socketio.on("join")  # type: ignore[untyped-decorator,unused-ignore]
def join(*_: Any) -> None:
    join_room("viewers")


@socketio.on("broadcast")  # type: ignore[untyped-decorator,unused-ignore]
def broadcast(request: dict[str, Any]) -> None:
    for character in request["text"]:
        emit("new_char", character, to="viewers")
        socketio.sleep(1 / request["rate"])
    emit("stream_end", {}, to="viewers")


if __name__ == "__main__":
    # Not socketio.run(): with port 0 it does not say which port it got.
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
