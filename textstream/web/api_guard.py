"""Who may use the HTTP API."""

from __future__ import annotations

import math
from http import HTTPStatus

from flask import Flask, Response, jsonify, request

from textstream.errors import Forbidden, RateLimited, TextStreamError, Unauthorized, UnknownStream
from textstream.web.admission import Admission
from textstream.web.headers import API
from textstream.web.identity import Identity

OPEN = {f"{API}connection"}
"""What anybody may ask: it is for those whom nothing else answers, and says what they know."""

STATUS = {
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    UnknownStream: HTTPStatus.NOT_FOUND,
}


def guard_api(app: Flask, identity: Identity, admission: Admission) -> None:
    """Let nobody use the API of `app` of whom `identity` does not know who it is."""

    @app.before_request
    def check() -> Response | None:
        asked = request.path
        if not asked.startswith(API) or asked in OPEN or request.method == "OPTIONS":
            return None  # a browser asks beforehand (CORS), without any credentials
        if not identity.asks(request.environ):
            return None
        address = admission.address_of(request.environ)
        try:
            identity.of_request(request.environ, address)
        except TextStreamError as error:
            admission.refuse("api", address, error)
            return refuse(error)
        return None


def refuse(error: TextStreamError) -> Response:
    """Return the answer to a request that is refused: the error object, and its status."""
    response = jsonify(error.to_wire())
    response.status_code = STATUS.get(type(error), HTTPStatus.BAD_REQUEST)
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = 'Bearer realm="textstream"'  # RFC 6750, 3
    if error.retry_after:
        response.headers["Retry-After"] = str(math.ceil(error.retry_after))
    return response
