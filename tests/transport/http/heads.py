"""Heads of requests, right and wrong: a list of our own, by name."""

from __future__ import annotations

from textstream.transport.http.head import MAX_FIELDS, MAX_HEAD

END = b"\r\n\r\n"


def get(*lines: str, target: str = "/", version: str = "HTTP/1.1", host: str = "Host: x") -> bytes:
    """Return the head of a GET with these fields."""
    fields = [host, *lines] if host else lines
    return "\r\n".join([f"GET {target} {version}", *fields, "", ""]).encode("latin-1")


def post(*lines: str, version: str = "HTTP/1.1") -> bytes:
    return get(*lines, version=version).replace(b"GET", b"POST", 1)


LONGEST_TARGET = "/" + "a" * 8191
FULL = get("X: " + "v" * (MAX_HEAD - len(get("X: "))))

SERVED: dict[str, tuple[bytes, dict[str, object]]] = {
    "nothing but a Host": (
        get(),
        {"method": "GET", "target": "/", "path": "/", "query": "", "version": "HTTP/1.1",
         "fields": {"HTTP_HOST": "x"}, "length": 0, "chunked": False, "keep_alive": True,
         "expects_continue": False},
    ),
    "a query": (get(target="/a?b=%20&c?d"), {"path": "/a", "query": "b=%20&c?d"}),
    "an empty query": (get(target="/a?"), {"path": "/a", "query": ""}),
    "escapes in the path": (
        get(target="/%E5%AD%97%2f?%E5"),
        {"target": "/%E5%AD%97%2f?%E5", "path": "/å\xad\x97/", "query": "%E5"},
    ),
    "escapes that are none": (get(target="/%zz%"), {"path": "/%zz%"}),
    "two slashes": (get(target="//a//b"), {"path": "//a//b"}),
    "the longest target": (get(target=LONGEST_TARGET), {"path": LONGEST_TARGET}),
    "the asterisk": (get(target="*").replace(b"GET", b"OPTIONS"), {"path": "*", "query": ""}),
    "an absolute target": (
        get(target="http://y:80/a?b"),
        {"target": "http://y:80/a?b", "path": "/a", "query": "b", "fields": {"HTTP_HOST": "y:80"}},
    ),
    "an absolute target without path": (get(target="HTTPS://y"), {"path": "/", "query": ""}),
    "an absolute target, query alone": (get(target="http://y?q"), {"path": "/", "query": "q"}),
    "a method of nobody's": (get().replace(b"GET", b"X-y!"), {"method": "X-y!"}),
    "a method in lower case": (get().replace(b"GET", b"get"), {"method": "get"}),
    "white space around values": (
        get("A: \t b\t c \t"), {"fields": {"HTTP_HOST": "x", "HTTP_A": "b\t c"}}
    ),
    "white space of Latin-1, which is none": (
        get("A: \xa0b\x85"),
        {"fields": {"HTTP_HOST": "x", "HTTP_A": "\xa0b\x85"}},
    ),
    "an empty value": (
        get("A:", "B: "), {"fields": {"HTTP_HOST": "x", "HTTP_A": "", "HTTP_B": ""}}
    ),
    "colons in a value": (get("A::b:"), {"fields": {"HTTP_HOST": "x", "HTTP_A": ":b:"}}),
    "Latin-1 in a value": (
        get("A: \xe9\x80"), {"fields": {"HTTP_HOST": "x", "HTTP_A": "\xe9\x80"}}
    ),
    "names of any case": (
        get("content-TYPE: t", "X-a.b: c"),
        {"fields": {"HTTP_HOST": "x", "CONTENT_TYPE": "t", "HTTP_X_A.B": "c"}},
    ),
    "repeated fields": (
        get("Accept: a", "Cookie: b=1", "accept: c", "cookie: d=2", "Accept:"),
        {"fields": {"HTTP_HOST": "x", "HTTP_ACCEPT": "a, c, ", "HTTP_COOKIE": "b=1; d=2"}},
    ),
    "an address of IPv6": (get(host="Host: [::1]:80"), {"fields": {"HTTP_HOST": "[::1]:80"}}),
    "a name with an underscore": (get(host="Host: a_b:1"), {"fields": {"HTTP_HOST": "a_b:1"}}),
    "an empty Host": (get(host="Host:"), {"fields": {"HTTP_HOST": ""}}),
    "HTTP/1.0 without Host": (
        get(version="HTTP/1.0", host=""),
        {"version": "HTTP/1.0", "fields": {}, "keep_alive": False},
    ),
    "HTTP/1.0, kept alive": (
        get("Connection: foo, Keep-Alive", version="HTTP/1.0"), {"keep_alive": True}
    ),
    "HTTP/1.0, both": (
        get("Connection: keep-alive, close", version="HTTP/1.0"), {"keep_alive": False}
    ),
    "HTTP/1.1, closed": (get("Connection: Upgrade ,\tCLOSE"), {"keep_alive": False}),
    "HTTP/1.1, upgraded": (get("Connection: Upgrade", "Upgrade: x"), {"keep_alive": True}),
    "a body": (post("Content-Length: 05"), {"length": 5, "chunked": False}),
    "the longest body": (post(f"Content-Length: {10**15}"), {"length": 10**15}),
    "chunks": (post("Transfer-Encoding: Chunked"), {"length": 0, "chunked": True}),
    "a client that waits": (
        post("Expect: 100-Continue", "Content-Length: 1"), {"expects_continue": True}
    ),
    "a client that waits, chunks": (
        post("Expect: 100-continue", "Transfer-Encoding: chunked"), {"expects_continue": True}
    ),
    "nothing to wait for": (post("Expect: 100-continue"), {"expects_continue": False}),
    "HTTP/1.0 does not wait": (
        post("Expect: 100-continue", "Content-Length: 1", version="HTTP/1.0"),
        {"expects_continue": False},
    ),
    "HTTP/1.0 expects what it wants": (post("Expect: x", version="HTTP/1.0"), {"method": "POST"}),
    "empty lines before it": (4 * b"\r\n" + get(), {"method": "GET", "path": "/"}),
    "as many fields as may be": (get(*["A: b"] * (MAX_FIELDS - 1)), {"path": "/"}),
    "as many bytes as may be": (FULL, {"path": "/"}),
}  # fmt: skip

REFUSED: dict[str, tuple[bytes, int, str]] = {
    "nothing": (END, 400, "no request line"),
    "empty lines without end": (4 * b"\r\n" + END, 400, "no request line"),
    "too many empty lines": (5 * b"\r\n" + get(), 400, "no request line"),
    "no end": (get()[:-2], 400, "no end"),
    "something behind the end": (get() + get(), 400, "no colon"),
    "no version": (b"GET /" + END, 400, "request line"),
    "two spaces": (b"GET  / HTTP/1.1" + END, 400, "request line"),
    "a space behind": (b"GET / HTTP/1.1 " + END, 400, "request line"),
    "a space before": (b" GET / HTTP/1.1" + END, 400, "request line"),
    "a tab for a space": (b"GET\t/ HTTP/1.1" + END, 400, "request line"),
    "a space in the target": (get(target="/a b"), 400, "request line"),
    "no target": (get(target=""), 400, "target"),
    "HTTP/2": (b"PRI * HTTP/2.0" + END, 505, "Send HTTP/1.1"),
    "HTTP/3 without minor": (get(version="HTTP/3"), 505, "Send HTTP/1.1"),
    "HTTP/1.2": (get(version="HTTP/1.2"), 505, "Send HTTP/1.1"),
    "HTTP/0.9": (get(version="HTTP/0.9"), 505, "Send HTTP/1.1"),
    "HTTP in lower case": (get(version="http/1.1"), 400, "no version"),
    "HTTP with digits in front": (get(version="HTTP/01.1"), 400, "no version"),
    "digits of another script": (get(version="HTTP/\xb9.1"), 400, "no version"),
    "another protocol": (get(version="RTSP/1.0"), 400, "no version"),
    "a method that is no token": (get().replace(b"GET", b"G(T"), 400, "no method"),
    "no method": (get().replace(b"GET", b""), 400, "no method"),
    "a method that is too long": (get().replace(b"GET", b"G" * 21), 400, "no method"),
    "CONNECT": (get(target="x:80").replace(b"GET", b"CONNECT"), 501, "no proxy"),
    "authority form": (get(target="x:80"), 400, "target"),
    "a path without slash": (get(target="a"), 400, "target"),
    "the asterisk of GET": (get(target="*"), 400, "target"),
    "another scheme": (get(target="ftp://x/"), 400, "target"),
    "an absolute target without host": (get(target="http:///a"), 400, "target"),
    "an absolute target, port alone": (get(target="http://:80/a"), 400, "target"),
    "an absolute target with a password": (get(target="http://u:p@x/"), 400, "Host"),
    "an absolute target, no Host": (get(target="http://x/", host=""), 400, "Host is missing"),
    "a fragment": (get(target="/a#b"), 400, "fragment"),
    "Latin-1 in the target": (get(target="/\xe9"), 400, "Escape"),
    "a tab in the target": (get(target="/a\tb"), 400, "Escape"),
    "DEL in the target": (get(target="/\x7f"), 400, "control character"),
    "a target that is too long": (get(target=LONGEST_TARGET + "a"), 414, "8192"),
    "a target longer than a head": (get(target="/" + "a" * MAX_HEAD), 414, "8192"),
    "one byte too many": (FULL.replace(b"X: ", b"X: v"), 431, "16384"),
    "one field too many": (get(*["A: b"] * MAX_FIELDS), 431, "101 fields"),
    "LF alone": (get().replace(b"\r\n", b"\n"), 400, "LF alone"),
    "LF alone behind a field": (get("A: b\nC: d"), 400, "LF alone"),
    "CR alone": (get("A: b\rC: d"), 400, "CR stands alone"),
    "CR twice": (get("A: b\r"), 400, "CR stands alone"),
    "LF before CR": (get("A: b\n\rC: d"), 400, "LF alone"),
    "NUL": (get("A: b\0"), 400, "'\\x00'"),
    "a vertical tab": (get("A: b\vc"), 400, "'\\x0b'"),
    "ESC": (get("A: \x1b[2J"), 400, "'\\x1b'"),
    "DEL": (get("A: \x7f"), 400, "'\\x7f'"),
    "a value that goes on": (get("A: b", " c: d"), 400, "second line"),
    "a value that goes on, without colon": (get("A: b", "\tc"), 400, "second line"),
    "white space before the first field": (get(host=" Host: x"), 400, "second line"),
    "no colon": (get("A"), 400, "no colon"),
    "no name": (get(": a"), 400, "token"),
    "a space before the colon": (get("A : b"), 400, "token"),
    "a space in a name": (get("A b: c"), 400, "token"),
    "Latin-1 in a name": (get("\xc9: c"), 400, "token"),
    "an underscore in a name": (get("X_Real-IP: c"), 400, "'-'"),
    "an underscore for Content-Length": (post("Content_Length: 5"), 400, "'-'"),
    "no Host": (get(host=""), 400, "Host is missing"),
    "two Hosts": (get("Host: y"), 400, "Host comes twice"),
    "the same Host twice": (get("host: x"), 400, "Host comes twice"),
    "two Hosts in one": (get(host="Host: x, y"), 400, "no host"),
    "a Host with a path": (get(host="Host: x/y"), 400, "no host"),
    "a Host with a user": (get(host="Host: a@x"), 400, "no host"),
    "a Host with a port of letters": (get(host="Host: x:y"), 400, "no host"),
    "a Host in Latin-1": (get(host="Host: \xe9"), 400, "no host"),
    "a bad Host in HTTP/1.0": (get(host="Host: a b", version="HTTP/1.0"), 400, "no host"),
    "Content-Length twice": (post("Content-Length: 5", "Content-Length: 5"), 400, "comes twice"),
    "a list of lengths": (post("Content-Length: 5, 5"), 400, "plain digits"),
    "a length with a sign": (post("Content-Length: +5"), 400, "plain digits"),
    "a negative length": (post("Content-Length: -5"), 400, "plain digits"),
    "a length with an underscore": (post("Content-Length: 1_0"), 400, "plain digits"),
    "a length in hex": (post("Content-Length: 0x5"), 400, "plain digits"),
    "a length with a superscript": (post("Content-Length: 5\xb2"), 400, "plain digits"),
    "an empty length": (post("Content-Length:"), 400, "plain digits"),
    "a length without sense": (post(f"Content-Length: {10**15 + 1}"), 413, "too large"),
    "a length of 5,000 digits": (post("Content-Length: " + "9" * 5000), 413, "too large"),
    "length and chunks": (post("Content-Length: 5", "Transfer-Encoding: chunked"), 400, "both"),
    "another coding": (post("Transfer-Encoding: gzip"), 501, "chunked alone"),
    "two codings": (post("Transfer-Encoding: gzip, chunked"), 501, "chunked alone"),
    "chunked twice": (post(*["Transfer-Encoding: chunked"] * 2), 501, "chunked alone"),
    "identity": (post("Transfer-Encoding: identity"), 501, "chunked alone"),
    "an empty coding": (post("Transfer-Encoding:"), 501, "chunked alone"),
    "chunked with a parameter": (post("Transfer-Encoding: chunked;a=b"), 501, "chunked alone"),
    "chunks in HTTP/1.0": (post("Transfer-Encoding: chunked", version="HTTP/1.0"), 400, "1.0"),
    "another expectation": (post("Expect: tea"), 417, "100-continue"),
    "an expectation too many": (post("Expect: 100-continue, tea"), 417, "100-continue"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "TLS"),
}
