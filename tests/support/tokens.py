"""Tokens for tests: of a secret that a server is given."""

from __future__ import annotations

import time
from typing import Any

import jwt

from tests.support.timing import patient
from textstream.access.principal import LEEWAY

SECRET = "a secret of the tests, of more than thirty-two bytes"
OTHER_SECRET = "another secret of the tests, of more than thirty-two bytes"


def make_token(
    name: str = "alice", *, left: float = 3600, secret: str = SECRET, **claims: Any
) -> str:
    """Return a token of somebody that is good for `left` seconds more, by all clocks."""
    expires = time.time() + left
    return jwt.encode({"sub": name, "aud": "textstream", "exp": expires} | claims, secret)


def about_to_expire(name: str = "alice", *, left: float = patient(0.7), **claims: Any) -> str:
    """Return a token that the server takes, and that is over in so many seconds.

    By its own word it is over already: it lives on what two clocks may differ.
    """
    return make_token(name, left=left - LEEWAY, **claims)
