"""The HTTP session for long-polling: an answer that was cut short is an error, not an empty one."""

from __future__ import annotations

from typing import Any

import requests


def http_session() -> requests.Session:
    """Return a session whose requests raise ``requests.ConnectionError`` for an empty answer.

    ``http.client`` takes a connection that ends within the head for the end of the head: with
    ``Content-Length`` lost, that is a complete answer with nothing in it. Engine.IO's client
    polls on then, and what was in the answer is lost without a word, be it the end of a stream.
    The protocol knows no empty answer: a poll has a packet at least, a post gets an ``ok``. An
    answer with its length lets urllib3 see that it was cut.
    """
    session = requests.Session()
    session.hooks["response"].append(_refuse_empty)
    return session


def _refuse_empty(response: requests.Response, **_options: Any) -> None:
    if response.ok and not response.content:
        raise requests.ConnectionError("the answer was cut short", response=response)
