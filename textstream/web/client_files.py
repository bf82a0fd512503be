"""``/socket.io/socket.io.js`` and its siblings: the client, served by the server that it is for.

As the reference server does, so that ``<script src="/socket.io/socket.io.js">`` works here too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, send_from_directory

CLIENT_FILES = tuple(
    f"socket.io{kind}.js{ending}"
    for kind in ("", ".min", ".msgpack.min", ".esm.min")
    for ending in ("", ".map")
)
"""The builds that browsers load, with their source maps. The front end's build copies them."""

NOT_BUILT = """\
// The client is not there: build the front end with `make run`, or with
// `npm ci && npm run build` in frontend/.
"""


def serve_client(app: Flask, static: Path) -> None:
    """Serve the client from the folder `static`. After Flask-SocketIO was given to `app`."""
    blueprint = Blueprint("client_files", __name__)

    @blueprint.get("/socket.io/<name>")
    def file(name: str) -> Response:
        if not (static / name).is_file():
            return Response(NOT_BUILT, status=404, mimetype="text/javascript")
        response = send_from_directory(static, name, mimetype=_type(name))
        response.headers["Cache-Control"] = "no-cache"  # asked for each time, sent when changed
        # It is no secret, and a page of any origin may load it, whoever may use the server.
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    app.register_blueprint(blueprint)
    # Flask-SocketIO hands everything below /socket.io/ to Engine.IO, which knows no files.
    socketio = app.wsgi_app

    def choose(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        folder, _, name = environ.get("PATH_INFO", "").rpartition("/")
        if folder == "/socket.io" and name in CLIENT_FILES:
            return Flask.wsgi_app(app, environ, start_response)
        return socketio(environ, start_response)

    app.wsgi_app = choose  # type: ignore[method-assign]  # as Flask's documentation has it


def _type(name: str) -> str:
    return "application/json" if name.endswith(".map") else "text/javascript"
