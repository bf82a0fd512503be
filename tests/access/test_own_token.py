"""The one token of a server without users."""

from __future__ import annotations

import pytest

from textstream.access.credentials import Credentials
from textstream.access.own_token import NOBODY, OwnToken, check_token, make_token
from textstream.errors import Unauthorized

TOKEN = "0123456789abcdef"


def test_whoever_has_it_is_the_operator() -> None:
    principal = OwnToken(TOKEN).principal_of(Credentials(TOKEN))
    assert principal.id == "user:operator"
    assert principal.expires is None
    assert principal.may("start", "llm")
    assert principal.may("share")
    assert not principal.may("admin")


@pytest.mark.parametrize(
    "shown", [None, "", "0123456789abcde", TOKEN + "0", TOKEN.upper(), "é\ud800"]
)
def test_nobody_else_is(shown: str | None) -> None:
    with pytest.raises(Unauthorized, match="TEXTSTREAM_TOKEN") as refused:
        OwnToken(TOKEN).principal_of(Credentials(shown))
    assert TOKEN not in refused.value.message


def test_without_one_nobody_is_let_in() -> None:
    for shown in (None, "", "None", TOKEN):
        with pytest.raises(Unauthorized) as refused:
            OwnToken(None).principal_of(Credentials(shown))
        assert refused.value.message == NOBODY
    for cure in ("TOKEN", "AUTH_KEYS", "TRUSTED_PROXIES", "OPEN=true"):
        assert f"TEXTSTREAM_{cure}" in NOBODY
    assert len(NOBODY) <= 300, "it fits into an error on the wire"


def test_each_that_is_made_is_another_and_may_be_sent() -> None:
    made = {make_token() for _ in range(100)}
    assert len(made) == 100
    for token in made:
        check_token(token)
        assert len(token) == 43
        assert token.replace("-", "").replace("_", "").isalnum(), "as it is in an address"


@pytest.mark.parametrize(
    "token", ["short", "x" * 15, "x" * 20 + " ", "é" * 20, "x" * 20 + "\n", "x" * 9 + "=" + "x" * 9]
)
def test_what_cannot_be_one(token: str) -> None:
    with pytest.raises(ValueError, match="openssl rand") as refused:
        check_token(token)
    assert token not in str(refused.value)
