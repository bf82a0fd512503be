"""How a request of the API is refused."""

from __future__ import annotations

import pytest
from flask import Flask

from textstream.errors import Forbidden, RateLimited, TextStreamError, Unauthorized
from textstream.web.api_guard import refuse


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (RateLimited("", retry_after=1.2, scope="address"), 429, {"Retry-After": "2"}),
        (RateLimited("", retry_after=0.1, scope="address"), 429, {"Retry-After": "1"}),
        (RateLimited("", retry_after=60.0, scope="address"), 429, {"Retry-After": "60"}),
        (Unauthorized(""), 401, {"WWW-Authenticate": 'Bearer realm="textstream"'}),
        (Forbidden(""), 403, {}),
    ],
)
def test_who_is_told_to_wait_comes_again_neither_too_early_nor_for_nothing(
    error: TextStreamError, status: int, headers: dict[str, str]
) -> None:
    with Flask(__name__).test_request_context():
        answer = refuse(error)
    assert answer.status_code == status
    assert answer.get_json() == error.to_wire()
    told = {name: answer.headers[name] for name in ("Retry-After", "WWW-Authenticate")
            if name in answer.headers}  # fmt: skip
    assert told == headers
