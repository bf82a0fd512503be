"""What may stand in a log line."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textstream.errors import InvalidRequest, SourceFailed
from textstream.loggable import (
    CHAIN,
    FRAMES,
    MESSAGE,
    describe_exception,
    fingerprint,
    one_line,
    without_ids,
)
from textstream.protocol import StreamRef, parse


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except type(error) as caught:
        return caught


def test_a_fingerprint_is_the_beginning_of_the_hash() -> None:
    assert fingerprint("abc") == hashlib.sha256(b"abc").hexdigest()[:8]
    assert len(fingerprint("\ud800")) == 8, "whatever a client sends for an id"


def test_a_session_s_id_in_an_address_is_a_secret() -> None:
    shown = f"GET /socket.io/?EIO=4&sid={fingerprint('AbC-_1')}&transport=polling HTTP/1.1"
    assert without_ids("GET /socket.io/?EIO=4&sid=AbC-_1&transport=polling HTTP/1.1") == shown
    assert without_ids("GET /?sid=a HTTP/1.1") == f"GET /?sid={fingerprint('a')} HTTP/1.1"
    assert without_ids("GET /?a=b&token=eyJ.x HTTP/1.1").endswith(
        f"token={fingerprint('eyJ.x')} HTTP/1.1"
    )
    assert without_ids("GET /?inside=a HTTP/1.1") == "GET /?inside=a HTTP/1.1"


@given(st.text(st.characters()))
def test_nothing_that_ends_a_line_or_steers_a_terminal_is_left(text: str) -> None:
    line = one_line(text)
    line.encode()
    assert len(line.splitlines()) <= 1
    assert not {unicodedata.category(c) for c in line} & {"Cc", "Zl", "Zp", "Cs"}
    assert not {unicodedata.bidirectional(c) for c in line} & {
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "plain", "字 é 👨‍👩‍👧 שלום", "C:\\new"])
def test_text_without_control_characters_stays(text: str) -> None:
    assert one_line(text) == text


def test_an_exception_is_its_type_and_frames() -> None:
    told = describe_exception(raised(KeyError("the prompt")))
    assert told.startswith("Traceback: tests/test_loggable.py:")
    assert told.endswith(" raised > KeyError")
    assert describe_exception(ValueError("never raised")) == "Traceback: ValueError"


def test_its_causes_are_told_too_and_none_of_their_words() -> None:
    error = raised(ValueError("the prompt"), raised(OSError("the prompt")))
    assert "prompt" not in describe_exception(error)
    assert "ValueError; from tests/" in describe_exception(error)
    assert describe_exception(error).endswith("OSError")
    assert describe_exception(error, message=True).count("the prompt") == 2


def test_what_our_own_code_says_is_told_and_what_a_user_s_says_is_not() -> None:
    assert describe_exception(SourceFailed("Try again.")).endswith("SourceFailed: Try again.")
    assert describe_exception(raised(SourceFailed("the prompt"))).endswith("> SourceFailed")


def test_a_long_chain_and_a_deep_one_are_cut() -> None:
    error: BaseException = ValueError("0")
    for number in range(100):
        error = raised(ValueError(str(number)), error)
    assert describe_exception(error).count("ValueError") == CHAIN

    def descend() -> None:
        descend()

    with pytest.raises(RecursionError) as deep:
        descend()
    assert describe_exception(deep.value).count(" > ") == FRAMES


def test_a_long_message_is_cut() -> None:
    assert len(describe_exception(ValueError("x" * 100_000), message=True)) < 2 * MESSAGE


def test_a_circle_of_causes_ends() -> None:
    one, two = ValueError("1"), OSError("2")
    one.__cause__, two.__cause__ = two, one
    assert describe_exception(one) == "Traceback: ValueError; from OSError"


def test_an_exception_that_cannot_say_what_it_is() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    told = describe_exception(Mute(), message=True)
    assert told == "Traceback: Mute: <its message raised RuntimeError>"


def test_our_own_errors_are_known_by_where_they_are_raised() -> None:
    with pytest.raises(InvalidRequest) as found:
        parse(StreamRef, None)
    told = describe_exception(found.value)
    assert told.endswith(" parse > InvalidRequest: expected an object, got nothing")
