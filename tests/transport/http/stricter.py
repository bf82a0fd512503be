"""In what our parsers are stricter than h11, on purpose. Each is told from the bytes alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import h11


class Taken(NamedTuple):
    """A request that h11 takes: what it read, the bytes of the head, and those of the body."""

    request: h11.Request
    head: bytes
    body: bytes


LF_ALONE = re.compile(rb"(?<!\r)\n")
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
FOLD = re.compile(rb"\n[ \t]")
UNDERSCORE = re.compile(rb"^[^:\n]*_[^:\n]*:", re.MULTILINE)
ABSOLUTE = re.compile(rb"(?i)https?://([^:/?][^/?]*)")
HOST = re.compile(rb"(?:\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._~!$&'()*+,;=%-]*)(?::[0-9]*)?")
SIZE_LINE = re.compile(rb"[0-9a-fA-F]{1,8}(;[\t\x20-\x7e\x80-\xff]*)?")


def values(taken: Taken, name: bytes) -> list[bytes]:
    return [value for other, value in taken.request.headers if other == name]


def sent(taken: Taken, name: bytes) -> list[bytes]:
    """Return a field's values before h11 makes one of several that are the same."""
    return re.findall(rb"(?im)^" + name + rb":[ \t]*(.*?)[ \t]*\r?$", taken.head)


def bad_target(taken: Taken) -> bool:
    target = taken.request.target
    if b"#" in target or len(target) > 8192:
        return True
    if target == b"*" and taken.request.method == b"OPTIONS":
        return False
    absolute = ABSOLUTE.match(target)
    return target[:1] != b"/" and not (absolute and HOST.fullmatch(absolute[1]))


def bad_host(taken: Taken) -> bool:
    return not all(HOST.fullmatch(value) for value in values(taken, b"host"))


def chunks(taken: Taken) -> tuple[list[bytes], bytes]:
    """Return the lines with sizes, and what is behind the last, as h11 reads them."""
    lines: list[bytes] = []
    rest = taken.body if values(taken, b"transfer-encoding") else b""
    while rest:
        line, _, rest = rest.partition(b"\r\n")
        lines.append(line)
        size = int(re.match(rb"[0-9a-fA-F]+", line)[0], 16)  # type: ignore[index]
        if not size:
            break
        rest = rest[size + 2 :]
    return lines, rest


def bad_size(taken: Taken) -> bool:
    return not all(SIZE_LINE.fullmatch(line) for line in chunks(taken)[0])


def much_extension(taken: Taken) -> bool:
    return sum(len(line.partition(b";")[2]) + 1 for line in chunks(taken)[0]) > 1024


def bad_trailers(taken: Taken) -> bool:
    lines = chunks(taken)[1]
    late = re.search(rb"(?im)^(host|content-length|transfer-encoding):", lines)
    wrong = any(pattern.search(lines) for pattern in (LF_ALONE, CONTROL, FOLD, UNDERSCORE))
    return wrong or late is not None or lines.count(b"\n") > 17 or len(lines) > 4096


STRICTER: dict[str, Callable[[Taken], bool]] = {
    "a line ends in LF alone": lambda t: LF_ALONE.search(t.head) is not None,
    "a control character": lambda t: CONTROL.search(t.head) is not None,
    "a field goes on in a second line": lambda t: FOLD.search(t.head) is not None,
    "a name with an underscore": lambda t: UNDERSCORE.search(t.head) is not None,
    "a version that is not spoken": lambda t: t.request.http_version not in {b"1.1", b"1.0"},
    "CONNECT": lambda t: t.request.method == b"CONNECT",
    "a long method": lambda t: len(t.request.method) > 20,
    "another target": bad_target,
    "a Host that is none": bad_host,
    "Content-Length twice": lambda t: len(sent(t, b"content-length")) > 1,
    "a list of lengths": lambda t: any(b"," in length for length in sent(t, b"content-length")),
    "a length without sense": lambda t: any(
        int(length) > 10**15 or len(length) > 19 for length in values(t, b"content-length")
    ),
    "length and chunks": lambda t: bool(
        values(t, b"content-length") and values(t, b"transfer-encoding")
    ),
    "chunks in HTTP/1.0": lambda t: (
        t.request.http_version == b"1.0" and bool(values(t, b"transfer-encoding"))
    ),
    "another expectation": lambda t: (
        t.request.http_version == b"1.1"
        and bool(values(t, b"expect"))
        and b", ".join(values(t, b"expect")).lower() != b"100-continue"
    ),
    "a large head": lambda t: len(t.head) > 16_384,
    "many fields": lambda t: t.head.count(b"\n") > 102,
    "a chunk's size": bad_size,
    "long extensions": much_extension,
    "trailers": bad_trailers,
}
