"""Malformed HTTP: request lines, headers, bodies, queries, paths."""

from __future__ import annotations

from random import Random
from urllib.parse import quote

from reliability.fuzz.inputs import End, Made, Start, one
from reliability.fuzz.values import encoded, garbage, mutated, string

PATHS = ("/", "/healthz", "/api/sources", "/favicon.ico", "/assets/x.js", "/socket.io/?EIO=4")

TRAVERSALS = (
    "/assets/../../app.py", "/assets/..%2f..%2fapp.py", "/assets/%2e%2e/%2e%2e/app.py",
    "/assets//etc/passwd", "/assets/%00", "/assets/x%00.js", "/assets/..\\..\\app.py",
    "/assets/" + "../" * 200 + "etc/passwd", "/assets/%c0%ae%c0%ae/", "/assets/" + "a" * 5000,
    "/..", "//", "///healthz", "//[", "//[::1", "http://[/", "http://[::1]:x/healthz",
    "http://[v1.x]/", "http://a:99999999/", "http:///healthz", "*", "healthz", "/./healthz", "/%",
    "/%zz", "/%ff%fe", "/é", "/\x80", "/healthz;x=y", "/healthz#a", "/healthz/", "/api", "/api/",
    "/api/%73ources", "/api/sources/..", "/socket.io", "/socket.io/x", "/socket.io/../healthz",
)  # fmt: skip

METHODS = (
    "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "BREW", "get",
    "G" * 300, "", "G\0T", "GÉT", "__init__", "GET\t", "PRI",
)  # fmt: skip

VERSIONS = (
    "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/3", "HTTP/1.", "HTTP/1.1.1", "HTTP/-1.1",
    "HTTP/1.9", "HTTP/99999999999.1", "http/1.1", "FTP/1.1", "", "HTTP/1.1 x", "HTTP/١.1",
    "HTTP/ 1.1",
)  # fmt: skip

HEADERS = (
    "Content-Length: 5\r\nContent-Length: 6", "Content-Length: -1", "Content-Length: x",
    "Content-Length: 1e3", "Content-Length: +5", "Content-Length: 0x10", "Content-Length:",
    "Content-Length: 5, 5", "Content-Length: 99999999999999999999999", "Content-Length: ٣",
    "Transfer-Encoding: chunked\r\nContent-Length: 3", "Transfer-Encoding: xchunked",
    "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "X: a\r\n b\r\n\tc", " X: leading", "X : space", ": no name", "no colon", "X\0: a", "X: a\0b",
    "X: \x80\xff", "X: a\rb", "X: a\nb", "Héader: x", "Host: a\r\nHost: b", "Host: [", "Host: a b",
    "Host: \0", "Host:", "Connection: close, keep-alive, upgrade", "Upgrade: websocket",
    "Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    "Expect: 100-continue", "Expect: 200-ok", "Range: bytes=5-1", "Range: bytes=-",
    "Range: bytes=" + "0-1," * 500, "If-Modified-Since: yesterday", 'If-None-Match: "',
    "Accept-Encoding: gzip;q=x, \0", "Origin: null", "Origin: \x01", "Origin: http://[",
    "Cookie: " + "a=b;" * 500, "Cookie: \0=\0", "Authorization: Basic !!!",
    "X-Forwarded-For: ' OR 1", "Date: \x7f", "Access-Control-Request-Method: \x01",
    "Content-Type: text/plain; charset=\0", "Content-Encoding: gzip", "Trailer: Content-Length",
    "Content_Length: 5", "Te: trailers",
)  # fmt: skip

CHUNKED = (
    b"5\r\nhello\r\n0\r\n\r\n", b"5\r\nhel", b"x\r\nhello\r\n0\r\n\r\n",
    b"-5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffff\r\nhello\r\n", b"5\nhello\n0\n\n",
    b"5;a=b\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloworld\r\n0\r\n\r\n", b"0\r\nX: y\r\n",
    b"\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"5" * 5000, b"3\r\nabc", b"",
    b"5 \r\nhello\r\n0\r\n\r\n", b"\xd9\xa3\r\nabc\r\n0\r\n\r\n",
)  # fmt: skip

QUERIES = (
    "", "EIO=4", "EIO=3&transport=polling", "EIO=&transport=polling",
    "EIO=4&EIO=3&transport=polling", "transport=polling", "EIO=4&transport=",
    "EIO=4&transport=carrier-pigeon", "EIO=4&transport=%00", "EIO=4&transport=websocket",
    "EIO=4&transport=webtransport", "EIO=4&transport=polling&sid=",
    "EIO=4&transport=polling&sid=nobody", "EIO=4&transport=polling&sid=" + "s" * 20_000,
    "EIO=4&transport=polling&sid=%00%ff", "EIO=4&transport=polling&sid=a&sid=b",
    "EIO=4&transport=polling&j=", "EIO=4&transport=polling&j=x", "EIO=4&transport=polling&j=-1",
    "EIO=4&transport=polling&j=1", "EIO=4&transport=polling&j=" + "9" * 5000, "EIO=4&j=٣",
    "EIO=4&transport=polling&b64=1", "EIO=4&transport=polling&t=" + "%41" * 500, "&=&=&;", "%%%",
    "EIO=4&transport=polling&" + "a=b&" * 3000, "EIO=4&transport=polling&j=%0d%0aX:y", "EIO=４",
)  # fmt: skip


def request(
    target: str,
    *,
    method: str = "GET",
    version: str = "HTTP/1.1",
    head: str = "",
    body: bytes = b"",
) -> bytes:
    """Return a request; everything in it may be wrong. `head`: header lines without their end."""
    lines = (
        f"{method} {target} {version}\r\nHost: localhost\r\n{head}{head and chr(13) + chr(10)}\r\n"
    )
    return encoded(lines) + body


def _made(chance: Random, data: bytes) -> Made:
    return one(Start.TCP, data, chance.choice((End.HALF_CLOSE,) * 8 + (End.CLOSE, End.RESET)))


def request_line(chance: Random) -> Made:
    target = chance.choice((*PATHS, *TRAVERSALS))
    return _made(
        chance,
        request(target, method=chance.choice(METHODS), version=chance.choice(VERSIONS)),
    )


def broken_line(chance: Random) -> Made:
    separators = (b" ", b"", b"  ", b"\t", b"\0", b"\x0b", b"\xa0")
    parts = [b"GET", encoded(chance.choice(PATHS)), b"HTTP/1.1"]
    chance.shuffle(parts)
    line = chance.choice(separators).join(parts[: chance.randint(0, 3)])
    ending = chance.choice((b"\r\n\r\n", b"\n\n", b"\r\r", b"", b"\r\n", b"\n\r\n"))
    return _made(chance, chance.choice((b"", b"\r\n", b"\r\n" * 50)) + line + ending)


def headers(chance: Random) -> Made:
    head = "\r\n".join(chance.sample(HEADERS, chance.randint(1, 3)))
    body = chance.choice((b"", b"abc", *CHUNKED))
    method = chance.choice(("GET", "POST", "POST", "OPTIONS"))
    return _made(chance, request(chance.choice(PATHS), method=method, head=head, body=body))


def too_much(chance: Random) -> Made:
    kind = chance.randrange(4)
    if kind == 0:
        return _made(chance, request("/" + "a" * chance.choice((4000, 9000, 70_000, 200_000))))
    if kind == 1:
        return _made(chance, request("/healthz", head="X: " + "a" * chance.choice((9000, 70_000))))
    if kind == 2:
        name = "N" * chance.choice((1000, 66_000))
        return _made(chance, request("/healthz", head=f"{name}: x"))
    count = chance.choice((90, 101, 300, 5000))
    return _made(chance, request("/healthz", head="\r\n".join(f"X-{n}: {n}" for n in range(count))))


def chunked(chance: Random) -> Made:
    target = chance.choice((*PATHS, "/socket.io/?EIO=4&transport=polling&sid=nobody"))
    body = chance.choice(CHUNKED)
    if chance.random() < 0.3:
        body = mutated(chance, body)
    return _made(
        chance, request(target, method="POST", head="Transfer-Encoding: chunked", body=body)
    )


def body_length(chance: Random) -> Made:
    body = garbage(chance, 200)
    promised = chance.choice((0, len(body) + 1, max(0, len(body) - 1), 10**6, 10**7, 10**12))
    target = chance.choice((*PATHS, "/socket.io/?EIO=4&transport=polling&sid=nobody"))
    return _made(
        chance, request(target, method="POST", head=f"Content-Length: {promised}", body=body)
    )


def half_request(chance: Random) -> Made:
    whole = request(chance.choice(PATHS), head="X: y\r\nContent-Length: 5", body=b"hello")
    end = chance.choice((End.HALF_CLOSE, End.CLOSE, End.RESET))
    return one(Start.TCP, whole[: chance.randrange(len(whole))], end)


def query(chance: Random) -> Made:
    asked = chance.choice(QUERIES)
    if chance.random() < 0.2:
        asked += "&" + quote(string(chance), errors="replace") + "=" + string(chance).strip()
    if chance.random() < 0.2:
        asked = mutated(chance, encoded(asked)).decode("latin-1")
    method = chance.choice(("GET", "GET", "POST", "OPTIONS", "PUT"))
    head = "Content-Length: 3" if method == "POST" else ""
    body = b"2\x1e3" if head else b""
    return _made(chance, request(f"/socket.io/?{asked}", method=method, head=head, body=body))


def traversal(chance: Random) -> Made:
    target = chance.choice(TRAVERSALS)
    if chance.random() < 0.3:
        target = mutated(chance, encoded(target)).decode("latin-1")
    return _made(chance, request(target))


def pipelined(chance: Random) -> Made:
    first = request(chance.choice(PATHS))
    return _made(chance, first * chance.randint(2, 5) + garbage(chance))


def mutated_request(chance: Random) -> Made:
    whole = request(chance.choice(PATHS), head=chance.choice(HEADERS[:20]), body=b"hello")
    return _made(chance, mutated(chance, whole))


def other_protocol(chance: Random) -> Made:
    hello = (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-OpenSSH_9.6\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n\r\n", b"*1\r\n$4\r\nPING\r\n",
        b"\x00\x00\x00\x00", b"", garbage(chance, 500),
    )  # fmt: skip
    return _made(chance, chance.choice(hello))


RULES = (
    request_line, broken_line, headers, headers, too_much, chunked, body_length, half_request,
    query, query, traversal, pipelined, mutated_request, other_protocol,
)  # fmt: skip
