"""Plain HTTP: the demo page, the description of the sources, and the health check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, send_from_directory

from textstream import __version__
from textstream.hub import Hub
from textstream.sources import SourceRegistry

STATIC = Path(__file__).parent / "static"

NOT_BUILT = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>textstream</title>
<h1>textstream is running</h1>
<p>The demo page is not built yet. Build it with <code>make run</code>, or with
<code>npm ci &amp;&amp; npm run build</code> in <code>frontend/</code>, and reload.</p>
<p>Everything else works: <a href="/api/sources">/api/sources</a>,
<a href="/healthz">/healthz</a>, and Socket.IO at <code>/socket.io/</code>.</p>
</html>
"""


def pages(hub: Hub, registry: SourceRegistry, static: Path = STATIC) -> Blueprint:
    """Return the routes."""
    blueprint = Blueprint("pages", __name__)

    @blueprint.get("/")
    def demo() -> Response:
        if not (static / "demo.html").is_file():
            return Response(NOT_BUILT, mimetype="text/html")
        response = send_from_directory(static, "demo.html")
        response.headers["Cache-Control"] = "no-cache"
        return response

    @blueprint.get("/assets/<path:name>")
    def assets(name: str) -> Response:
        # Vite puts a hash of the content into each name.
        return send_from_directory(static / "assets", name, max_age=31_536_000)

    @blueprint.get("/favicon.ico")
    def favicon() -> Response:
        return Response(status=204)

    @blueprint.get("/api/sources")
    def sources() -> Response:
        return jsonify(registry.describe())

    @blueprint.get("/healthz")
    def health() -> tuple[Response, int]:
        body: dict[str, Any] = {
            "status": "shutting_down" if hub.closing else "ok",
            "version": __version__,
            "streams": hub.running_streams,
        }
        return jsonify(body), 503 if hub.closing else 200

    return blueprint
