"""Plain HTTP: the pages, the description of the sources and of the request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request, send_from_directory
from flask_cors import cross_origin
from werkzeug.wrappers import Response as WerkzeugResponse

from textstream import __version__
from textstream.lab.request_facts import describe_request
from textstream.sources import SourceRegistry
from textstream.web.prefix import with_slash

STATIC = Path(__file__).parent / "static"

PAGES = {"/": "demo.html", "/app/": "app/index.html", "/lab/": "lab/index.html"}
"""Where the front end's build puts them. All addresses in them are relative: see `with_slash`."""

NOT_BUILT = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>textstream</title>
<h1>textstream is running</h1>
<p>This page is not built yet. Build it with <code>make run</code>, or with
<code>npm ci &amp;&amp; npm run build</code> in <code>frontend/</code>, and reload.</p>
<p>Everything else works: <a href="{home}api/sources">api/sources</a>,
<a href="{home}healthz">healthz</a>, and Socket.IO at <code>socket.io/</code>.</p>
</html>
"""

LAB_OFF = (
    "The connection lab is off here. Start the server with --lab (TEXTSTREAM_LAB=on) to have it.\n"
)

LabCheck = Callable[[dict[str, Any]], bool]
"""Whether whoever makes a request may use the lab; the argument is the WSGI environment."""

OriginCheck = Callable[[str | None, dict[str, Any]], bool]
"""Whether pages of an origin may use the server; the second argument is the WSGI environment."""


def pages(
    registry: SourceRegistry,
    static: Path = STATIC,
    *,
    has_lab: LabCheck = lambda _: True,
    is_allowed: OriginCheck = lambda *_: True,
) -> Blueprint:
    """Return the routes."""
    blueprint = Blueprint("pages", __name__)

    for path, file in PAGES.items():
        view = _page(static, file)
        if path == "/lab/":
            view = _if_lab(has_lab, view)
        endpoint = file.replace(".", "_")
        blueprint.add_url_rule(path, endpoint, view)
        if path != "/":  # Flask's own redirect is to an absolute address
            blueprint.add_url_rule(path.rstrip("/"), f"{endpoint}_without_slash", _add_slash)

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

    @blueprint.get("/api/connection")
    @cross_origin(origins="*", send_wildcard=True)  # it is for those that may do nothing else
    def connection() -> Response:
        return jsonify(
            allowed=is_allowed(request.headers.get("Origin"), request.environ),
            **describe_request(request.environ),
            server=__version__,
            lab=has_lab(request.environ),
        )

    return blueprint


def _page(static: Path, file: str) -> Callable[[], Response]:
    home = "../" * file.count("/") or "./"

    def page() -> Response:
        if not (static / file).is_file():
            return Response(NOT_BUILT.format(home=home), mimetype="text/html")
        response = send_from_directory(static, file)
        response.headers["Cache-Control"] = "no-cache"
        return response

    return page


def _add_slash() -> WerkzeugResponse:
    return redirect(with_slash(request.environ), 308)


def _if_lab(has_lab: LabCheck, page: Callable[[], Response]) -> Callable[[], Response]:
    def view() -> Response:
        if has_lab(request.environ):
            return page()
        return Response(LAB_OFF, status=404, mimetype="text/plain")

    return view
