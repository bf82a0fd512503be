"""Bodies of requests: collected from any pieces, bounded, and chunks taken strictly."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from tests.transport.http.heads import get, post
from textstream.transport.http.body import (
    MAX_EXTENSIONS,
    MAX_SMALL_CHUNKS,
    MAX_TRAILER_BYTES,
    MAX_TRAILERS,
    SMALL,
    Body,
)
from textstream.transport.http.head import BadHead, parse_head

MOST = 100_000
CHUNKED = parse_head(post("Transfer-Encoding: chunked"))
END = b"0\r\n\r\n"
NEXT = b"GET /next"


def of_length(length: int, most: int = MOST) -> Body:
    return Body(parse_head(post(f"Content-Length: {length}")), most)


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return b"%x%b\r\n%b\r\n" % (len(data), extension, data)


def trailers(*lines: bytes) -> bytes:
    return b"\r\n".join([b"0", *lines, b"", b""])


COLLECTED = {
    "no chunk": (END, b""),
    "a chunk": (chunk(b"hello") + END, b"hello"),
    "chunks": (chunk(b"a") + chunk(b"bc") + chunk(b"d\r\n0\r\n\r\n") + END, b"abcd\r\n0\r\n\r\n"),
    "digits of any case": (b"0000000A\r\n0123456789\r\nb\r\n0123456789a\r\n000\r\n\r\n",
                           b"01234567890123456789a"),
    "an extension": (chunk(b"a", b';n="v;w"') + chunk(b"b", b";\t \xe9=") + b"0;z\r\n\r\n", b"ab"),
    "all extensions that may be": (chunk(b"a", b";" + b"e" * 999) + b"0;" + b"e" * 23 + b"\r\n\r\n",
                                   b"a"),
    "a trailer": (chunk(b"a") + trailers(b"X: y"), b"a"),
    "an empty trailer": (chunk(b"a") + trailers(b"X:", b"Expires: now"), b"a"),
    "as many trailers as may be": (trailers(*[b"X: y"] * MAX_TRAILERS), b""),
    "as long a trailer as may be": (trailers(b"X:" + b"y" * (MAX_TRAILER_BYTES - 4)), b""),
    "as much as may be": (chunk(b"x" * (MOST - 1)) + chunk(b"y") + END, b"x" * (MOST - 1) + b"y"),
    "as many small chunks as may be": (
        chunk(b"x") * MAX_SMALL_CHUNKS + END, b"x" * MAX_SMALL_CHUNKS,
    ),
    "as many as may be, larger": (chunk(b"x" * SMALL) * 1_000 + END, b"x" * SMALL * 1_000),
}  # fmt: skip

TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
BAD = HTTPStatus.BAD_REQUEST

REFUSED = {
    "no size": (b"\r\n", BAD, "chunk size"),
    "no number": (b"g\r\n", BAD, "chunk size"),
    "a size of nine digits": (b"000000001\r\n", BAD, "chunk size"),
    "a sign": (b"+1\r\n", BAD, "chunk size"),
    "a minus": (b"-1\r\n", BAD, "chunk size"),
    "a prefix": (b"0x1\r\n", BAD, "chunk size"),
    "an underscore": (b"1_0\r\n", BAD, "chunk size"),
    "a space before": (b" 1\r\n", BAD, "chunk size"),
    "a space behind": (b"1 \r\n", BAD, "chunk size"),
    "a space before the extension": (b"1 ;a\r\n", BAD, "chunk size"),
    "LF behind the size": (b"1\na\r\n", BAD, "chunk size"),
    "CR twice": (b"1\r\r\n", BAD, "chunk size"),
    "LF in an extension": (b"1;a\nb\r\n", BAD, "chunk size"),
    "CR in an extension": (b"1;a\rb\r\n", BAD, "chunk size"),
    "NUL in an extension": (b"1;\0\r\n", BAD, "chunk size"),
    "an extension that is too long": (b"1;" + b"e" * MAX_EXTENSIONS + b"\r\n", BAD, "1024"),
    "extensions that are too long": (chunk(b"a", b";" + b"e" * 500) * 3, BAD, "1024"),
    "a size without end": (b"1;" + b"e" * 2000, BAD, "size of a chunk"),
    "zeros without end": (b"0" * 2000, BAD, "size of a chunk"),
    "more than its size": (b"1\r\nab", BAD, "CR LF"),
    "LF behind a chunk": (b"1\r\na\n", BAD, "CR LF"),
    "CR alone behind a chunk": (b"1\r\na\rx", BAD, "CR LF"),
    "a chunk over the limit": (b"%x\r\n" % (MOST + 1), TOO_LARGE, f"at most {MOST} bytes"),
    "the largest chunk": (b"ffffffff\r\n", TOO_LARGE, f"at most {MOST} bytes"),
    "chunks over the limit": (chunk(b"x" * MOST) + b"1\r\n", TOO_LARGE, f"at most {MOST} bytes"),
    "one small chunk too many": (chunk(b"x") * (MAX_SMALL_CHUNKS + SMALL * 80), BAD, "small"),
    "LF for a trailer": (b"0\r\n\n", BAD, "CR LF"),
    "LF behind a trailer": (b"0\r\nX: y\n\r\n", BAD, "CR LF"),
    "CR in a trailer": (trailers(b"X: y\rz"), BAD, "control"),
    "NUL in a trailer": (trailers(b"X: \0"), BAD, "control"),
    "a trailer without colon": (trailers(b"X"), BAD, "colon"),
    "a trailer that goes on": (trailers(b"X: y", b" z: a"), BAD, "second line"),
    "a trailer with an underscore": (trailers(b"X_Y: z"), BAD, "'-'"),
    "a length in a trailer": (trailers(b"content-length: 5"), BAD, "no trailers"),
    "a coding in a trailer": (trailers(b"Transfer-Encoding: chunked"), BAD, "no trailers"),
    "a Host in a trailer": (trailers(b"Host: x"), BAD, "no trailers"),
    "one trailer too many": (trailers(*[b"X: y"] * (MAX_TRAILERS + 1)), BAD, "16 trailers"),
    "a trailer that is too long": (trailers(b"X: " + b"y" * MAX_TRAILER_BYTES), BAD, "too long"),
    "trailers that are too long": (trailers(*[b"X: " + b"y" * 2_000] * 3), BAD, "too long"),
    "a trailer without end": (b"0\r\nX: " + b"y" * MAX_TRAILER_BYTES, BAD, "too long"),
}


def feed(body: Body, data: bytes, size: int) -> bytes:
    """Feed `data` in pieces of `size` until it is complete; return what it left and was not fed."""
    at, left = 0, b""
    while at < len(data) and not body.complete:
        left = body.feed(data[at : at + size])
        assert body.complete or not left
        at += size
    return left + data[at:]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8192, MOST * 2])
@pytest.mark.parametrize("name", COLLECTED)
def test_chunks_are_collected_from_whatever_pieces(name: str, size: int) -> None:
    data, content = COLLECTED[name]
    body = Body(CHUNKED, MOST)
    assert feed(body, data + NEXT, size) == NEXT
    assert body.complete
    assert body.content == content
    assert body.feed(NEXT) == NEXT
    assert body.content == content


@pytest.mark.parametrize("name", COLLECTED)
def test_it_is_not_complete_before_its_last_byte(name: str) -> None:
    data, _ = COLLECTED[name]
    body = Body(CHUNKED, MOST)
    assert body.feed(data[:-1]) == b""
    assert not body.complete
    assert body.feed(data[-1:]) == b""
    assert body.complete


@pytest.mark.parametrize("size", [1, 3, MOST * 2])
@pytest.mark.parametrize("name", REFUSED)
def test_chunks_that_are_refused(name: str, size: int) -> None:
    data, status, words = REFUSED[name]
    body = Body(CHUNKED, MOST)
    with pytest.raises(BadHead, match=words) as caught:
        feed(body, data, size)
    assert caught.value.status is status
    assert len(caught.value.cure) <= 120
    assert caught.value.cure.isprintable()
    assert not body.complete


@pytest.mark.parametrize("name", COLLECTED)
def test_two_pieces_are_as_good_as_one(name: str) -> None:
    data, content = COLLECTED[name]
    places = range(len(data)) if len(data) < 200 else [1, 2, 3, 1001, len(data) - 3, len(data) - 1]
    for place in places:
        body = Body(CHUNKED, MOST)
        assert (body.feed(data[:place]), body.feed(data[place:])) == (b"", b"")
        assert body.complete
        assert body.content == content


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_a_declared_length_is_collected(size: int) -> None:
    body = of_length(5)
    assert not body.complete
    assert feed(body, b"hello" + NEXT, size) == NEXT
    assert body.complete
    assert body.content == b"hello"


def test_a_body_that_comes_at_once_is_not_copied() -> None:
    data = b"x" * MOST
    body = of_length(MOST)
    assert body.feed(data) == b""
    assert body.content is data


def test_what_is_left_is_not_copied_where_nothing_was_taken() -> None:
    body = of_length(0)
    assert body.complete
    assert body.feed(NEXT) is NEXT


@pytest.mark.parametrize("head", [get(), post(), post("Content-Length: 0")])
def test_without_a_body_it_is_complete_at_once(head: bytes) -> None:
    body = Body(parse_head(head), 0)
    assert body.complete
    assert body.content == b""
    assert body.feed(NEXT) == NEXT


def test_a_declared_length_over_the_limit_is_refused_before_anything_is_read() -> None:
    assert not of_length(10, most=10).complete
    with pytest.raises(BadHead, match="at most 10 bytes") as caught:
        of_length(11, most=10)
    assert caught.value.status is TOO_LARGE
